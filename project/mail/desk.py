"""What the front desk does with letters and routes: a test letter, a pause lifted, a suppression lifted. Each answers with a sentence."""

import uuid

from django.contrib.admin.models import DELETION, LogEntry
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from project.practice.models import Practice
from project.practice.zones import time_words

from . import bells, pace, routes, work
from .letters import Letter, Paragraph, Small
from .models import Route, Stream
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


def set_limits(route, limits):
    """`per_second`, `per_day`, `warm_up_from` of a route, from now on. What is counted already stays counted."""
    Route.objects.filter(pk=route.pk).update(**limits)
    pace.forget()
    ring(route.stream)


def ring(stream):
    """Wake who sends by that route: every work of its queue."""
    for kind in work.everything():
        if kind.queue == stream:
            bells.ring(kind.name)


def lift(suppression, user, reason):
    """Write to that address again. Who did so, and why, stays in the log."""
    LogEntry.objects.log_actions(user.pk, [suppression], DELETION, change_message=reason, single_object=True)
    suppression.delete()


def state_of(route, now):
    """One sentence on a route's row."""
    if route.paused_at:
        return _("Stopped: %(why)s") % {"why": route.paused_because or _("no reason was given")}
    if route.probe_at and route.probe_at > now:
        time = time_words(route.probe_at, Practice.current().zone)
        return ngettext(
            "Resting after %(count)d failure; at %(time)s it is tried again by itself.",
            "Resting after %(count)d failures; at %(time)s it is tried again by itself.",
            route.failures,
        ) % {"count": route.failures, "time": time}
    return _("Running.") if route.tested_at else _("Running, never tested.")


def limits_of(route, now):
    """Sentences on how fast letters may leave by a route now."""
    if route.stream != Stream.BULK:
        return [_("As fast as it takes them: somebody waits for these letters.")]
    limits = pace.of(route.stream, now)
    if not limits.limited:
        return [_("As fast as it takes them.")]
    return list(_limits(limits))


def _limits(limits):
    if limits.per_second:
        yield _("At most %(rate)s a second.") % {"rate": f"{limits.per_second:g}"}
    if limits.slowed_until:
        yield _("That is half, until %(time)s, because the other side asked us to go slower.") % {
            "time": time_words(limits.slowed_until, Practice.current().zone)
        }
    if limits.warm_up_day:
        yield _("Day %(day)d of the warm-up.") % {"day": limits.warm_up_day}
    if limits.per_day is not None:
        yield _("At most %(cap)d letters today; %(today)d have left.") % {"cap": limits.per_day, "today": limits.today}
