"""What the front desk does with letters and routes: a test letter, a pause lifted, a suppression lifted. Each answers with a sentence."""

import uuid

from django.contrib.admin.models import DELETION, LogEntry
from django.utils import timezone
from django.utils.translation import gettext as _

from . import routes
from .letters import Letter, Paragraph, Small
from .models import Route
from .outcomes import Verdict


def test_route(stream, address):
    """Hand one letter to that route. `(worked, sentence)`."""
    letter = Letter(
        subject=_("A test letter from your own site"),
        preheader=_("If you can read this, letters leave this way."),
        blocks=[
            Paragraph(_("If you can read this, letters leave this way.")),
            Small(_("Somebody pressed “Send me a test letter” at the front desk.")),
        ],
    ).message()
    letter.to = [address]
    letter.extra_headers["Message-ID"] = f"<{uuid.uuid4().hex}@{routes.message_id_domain()}>"
    outcome = routes.hand_over(stream, letter)
    if outcome.verdict is not Verdict.SENT:
        return False, _("The letter did not leave. The other side says: %(detail)s") % {"detail": outcome.detail or outcome.reason}
    Route.objects.filter(stream=stream).update(tested_at=timezone.now())
    return True, _("The letter is on its way to %(address)s. Please check that it arrives, and not among the junk.") % {"address": address}


def lift(suppression, user, reason):
    """Write to that address again. Who did so, and why, stays in the log."""
    LogEntry.objects.log_actions(user.pk, [suppression], DELETION, change_message=reason, single_object=True)
    suppression.delete()


def state_of(route, now):
    """One sentence on a route's row."""
    if route.paused_at:
        return _("Stopped: %(why)s") % {"why": route.paused_because or _("no reason was given")}
    if route.probe_at and route.probe_at > now:
        return _("Resting after %(count)s failures; tried again by itself.") % {"count": route.failures}
    return _("Running.") if route.tested_at else _("Running, never tested.")
