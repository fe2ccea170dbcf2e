"""What a coordinator does with a campaign, and what the clock does: one transaction each, decided by one conditional UPDATE.

draft ──schedule──► scheduled ──launch──► sending ──(every chunk done)──► sent
  ▲──unschedule────────┘                  │   ▲                            │
                                    pause ▼   │ resume       send_again ───┘ (back to sending)
                                        paused            cancel: from scheduled, sending or paused, for good
"""

import logging
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Case, CharField, DateTimeField, Exists, F, IntegerField, OuterRef, Q, Value, When
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext as _

from project.mail import bells
from project.practice.models import Practice

from . import audience, content, guard, hours, skeleton
from .models import Campaign, Chunk, Delivery

logger = logging.getLogger(__name__)

Status, State, Reason = Campaign.Status, Delivery.State, Delivery.Reason

#: How many deliveries one worker takes at a time.
CHUNK = 500

#: A form knows minutes only, so “now” is already past when it arrives.
_PAST = timedelta(minutes=2)


class CampaignRefused(Exception):
    """A coordinator's wish that can't be met; its text is a sentence for them."""


# -- Before launch -----------------------------------------------------------------------------------------------------------------------


def problems(campaign):
    """What keeps a campaign from being sent, as sentences; empty when it may go."""
    found = []
    practice = Practice.current()
    if not practice.postal_address:
        found.append(_("The practice’s postal address is missing. The law asks for it in every newsletter."))
    texts = list(campaign.texts.all())
    if not texts:
        found.append(_("There is no text yet."))
    for text in texts:
        sentences = [sentence for sentences in content.problems(text).values() for sentence in sentences]
        if not sentences and (differs := skeleton.problem(text, practice, campaign.topic)):
            sentences = [differs]
        found += [f"{text.get_language_display()}: {sentence}" for sentence in sentences]
    return found


def schedule(campaign, send_at, *, own_zone=None, now=None):
    """Let it go out at `send_at` (aware); with `own_zone`, when the reader's own clocks show what the practice's show then. A scheduled one may
    be scheduled anew. Raises CampaignRefused."""
    now = now or timezone.now()
    if send_at < now - _PAST:
        raise CampaignRefused(_("That time has already passed. Please choose a later one."))
    with transaction.atomic():
        campaign.send_at, campaign.own_zone = send_at, campaign.own_zone if own_zone is None else own_zone
        times = {"send_at": send_at, "own_zone": campaign.own_zone, "launch_at": hours.launch_at(campaign, Practice.current())}
        won = _only(campaign, Campaign.EDITABLE).update(status=Status.SCHEDULED, stopped_because="", **times)
        if not won:
            raise CampaignRefused(_("This campaign has already been sent or cancelled."))
        found = problems(campaign)
        if found:
            raise CampaignRefused(" ".join(found))
        if not audience.of(campaign).will_get:
            raise CampaignRefused(_("Nobody would get this campaign: no one who reads this topic can be written to in its languages."))
        if times["launch_at"] <= now:
            bells.ring_after_commit("campaigns")
    campaign.refresh_from_db()


def unschedule(campaign):
    """Back to a draft. Raises CampaignRefused once it has been launched."""
    _change(
        campaign,
        {Status.SCHEDULED},
        _("This campaign is not waiting for its time any more."),
        status=Status.DRAFT,
        send_at=None,
        launch_at=None,
    )


def begin_edit(campaign):
    """Call first in the transaction that changes a campaign or its texts: raises CampaignRefused once launched, and keeps a launch waiting
    until the change is committed, so that it never freezes half of one."""
    if not _only(campaign, Campaign.EDITABLE).update(name=F("name")):
        raise CampaignRefused(_("This campaign has been sent, so its words can’t be changed any more."))


def _only(campaign, statuses):
    return Campaign.objects.filter(pk=campaign.pk, status__in=statuses)


def _change(campaign, statuses, refusal, **changes):
    if not _only(campaign, statuses).update(**changes):
        raise CampaignRefused(refusal)
    campaign.refresh_from_db()


# -- Launch ------------------------------------------------------------------------------------------------------------------------------


def launch(campaign, now):
    """Begin a campaign whose time has come: who gets it is written down now. True for exactly one of any number of callers.

    One that can't be sent any more (its text or the postal address was taken away meanwhile) goes back to a draft, and says why.
    """
    with transaction.atomic():
        due = _only(campaign, {Status.SCHEDULED}).filter(launch_at__lte=now)
        if not due.update(status=Status.SENDING, launched_at=now, content_hash="-"):
            return False
        campaign.refresh_from_db()  # it may have been scheduled anew since the caller read it
        texts = list(campaign.texts.all())
        found = problems(campaign)
        if found:
            Campaign.objects.filter(pk=campaign.pk).update(
                status=Status.DRAFT, send_at=None, launch_at=None, launched_at=None, content_hash="", stopped_because=" ".join(found)[:300]
            )
            return False
        size = _write_deliveries(campaign, [text.language for text in texts], now)
        Campaign.objects.filter(pk=campaign.pk).update(content_hash=content.content_hash(texts), audience_size=size)
        _write_chunks(campaign, now)
        _set_due_times(campaign, now)
        _take_stock()
    return True


def launch_due(now):
    """Begin every campaign whose time has come; how many were begun here. One that fails waits for the next tick and stands in nobody's way."""
    return sum(_try_to_launch(campaign, now) for campaign in due(now))


def _try_to_launch(campaign, now):
    try:
        return launch(campaign, now)
    except Exception:
        logger.exception("Campaign %s could not be begun.", campaign.pk)
        return False


def due(now):
    return Campaign.objects.filter(status=Status.SCHEDULED, launch_at__lte=now)


def _write_deliveries(campaign, languages, now):
    """One row per reader by one INSERT … SELECT, readers without a text in their language included, so that sums meet the audience; how many.

    `zone` is written only where each reader's own clock counts: a chunk is of one zone, and every zone makes a chunk more.
    """
    has_text = Q(language__in=languages)
    columns = {
        "campaign_id": Value(campaign.pk, IntegerField()),
        "subscriber_id": F("pk"),
        "language": F("language"),
        "variant": Value(0, IntegerField()),
        "zone": F("zone") if campaign.own_zone else Value("", CharField()),
        "state": Case(When(has_text, then=Value(State.PENDING.value)), default=Value(State.SKIPPED.value), output_field=CharField()),
        "reason": Case(When(has_text, then=Value("")), default=Value(Reason.NO_TEXT.value), output_field=CharField()),
        "detail": Value("", CharField()),
        "attempts": Value(0, IntegerField()),
        "provider_id": Value("", CharField()),
        "settled_at": Cast(Case(When(has_text, then=None), default=Value(now), output_field=DateTimeField()), DateTimeField()),
    }
    names = {name: f"column_{name}" for name in columns}
    readers = audience.readers(campaign.topic).order_by("language", *(["zone"] if campaign.own_zone else []), "pk")
    rows = readers.annotate(**{names[name]: column for name, column in columns.items()}).values_list(*names.values())
    return _insert_select(Delivery, columns, *rows.query.sql_with_params())


def _write_chunks(campaign, now):
    """Chunks of what is pending, aggregated from the deliveries themselves."""
    kind = ["campaign_id", "language", "variant", "zone"]
    quoted = ", ".join(map(_quote, kind))
    select = f"""
        SELECT {quoted}, MIN({_quote("id")}), MAX({_quote("id")}), %s, 'ready'
        FROM (
            SELECT {quoted}, {_quote("id")}, (ROW_NUMBER() OVER (PARTITION BY {quoted} ORDER BY {_quote("id")}) - 1) / {CHUNK} AS part
            FROM {_quote(Delivery._meta.db_table)} WHERE {_quote("campaign_id")} = %s AND {_quote("state")} = 'pending'
        ) AS numbered
        GROUP BY {quoted}, part ORDER BY MIN({_quote("id")})
    """
    moment = connection.ops.adapt_datetimefield_value(now)
    _insert_select(Chunk, [*kind, "lo", "hi", "due_at", "state"], select, [moment, campaign.pk])


def _take_stock():
    """Have PostgreSQL look at the table now. By what it knew of an earlier, smaller campaign it would join each window of a large one by
    reading all subscribers up to its last, until autovacuum comes by after a minute. It takes a twentieth of a second; SQLite has one plan."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {_quote(Delivery._meta.db_table)}")


def _quote(name):
    return connection.ops.quote_name(name)


def _insert_select(model, columns, select, params):
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {_quote(model._meta.db_table)} ({', '.join(map(_quote, columns))}) {select}", params)
        return cursor.rowcount


def _set_due_times(campaign, now):
    """Each zone's ready chunks wait for its own time of day, and for the end of its quiet hours; what is past already is due at once."""
    practice = Practice.current()
    waiting = Chunk.objects.filter(campaign=campaign, state=Chunk.State.READY)
    for zone in waiting.order_by().values_list("zone", flat=True).distinct():
        moment = max(now, hours.due_at(campaign, zone, practice))
        moment = hours.not_before(zone, moment, practice) or moment
        if moment > now:
            waiting.filter(zone=zone).update(due_at=moment)


# -- While it is being sent ----------------------------------------------------------------------------------------------------------------


def pause(campaign, because=""):
    """Stop after the window that is being handed over now. `because`: a sentence, when no person did it. Raises CampaignRefused."""
    refusal = _("Only a campaign that is being sent can be paused.")
    _change(campaign, {Status.SENDING}, refusal, status=Status.PAUSED, stopped_because=because[:300])


def resume(campaign):
    """Go on where it was paused. The figures that made the guard stop it stop it no more. Raises CampaignRefused."""
    with transaction.atomic():
        guarded = _only(campaign, {Status.PAUSED}).filter(guarded_at__isnull=False).exists()
        passed = guard.passed(campaign.pk) if guarded else {}
        _change(campaign, {Status.PAUSED}, _("This campaign is not paused."), status=Status.SENDING, stopped_because="", **passed)
        bells.ring_after_commit("campaigns")


def cancel(campaign, *, now=None):
    """Stop for good: nobody beyond the window that is being handed over now gets it. Raises CampaignRefused."""
    now = now or timezone.now()
    with transaction.atomic():
        refusal = _("This campaign has already been sent or cancelled.")
        _change(campaign, {Status.SCHEDULED, Status.SENDING, Status.PAUSED}, refusal, status=Status.CANCELLED, finished_at=now)
        # Takes every chunk's row lock, which is where a worker's transaction begins: from here on no window can be marked until we commit,
        # and those marked before are seen by the next statement.
        Chunk.objects.filter(campaign=campaign).update(due_at=F("due_at"))
        pending = Delivery.objects.filter(campaign=campaign, state=State.PENDING)
        pending.exclude(_in_hand()).update(state=State.SKIPPED, reason=Reason.CANCELLED, settled_at=now)
        Chunk.objects.filter(campaign=campaign, state=Chunk.State.READY).update(state=Chunk.State.DONE)
    campaign.refresh_from_db()


def _in_hand():
    """A condition on deliveries: inside a window that some worker has marked."""
    windows = Chunk.objects.filter(
        state=Chunk.State.HELD,
        campaign=OuterRef("campaign"),
        language=OuterRef("language"),
        variant=OuterRef("variant"),
        zone=OuterRef("zone"),
        window_lo__lte=OuterRef("pk"),
        window_hi__gte=OuterRef("pk"),
    )
    return Q(Exists(windows.filter(window_at__gte=OuterRef("retry_at")))) | Q(Exists(windows), retry_at=None)


def send_again(campaign, states, *, now=None):
    """Write once more to those whose delivery ended in one of `states` (“uncertain”, “failed”); how many. Raises CampaignRefused."""
    if not states or not set(states) <= {State.UNCERTAIN, State.FAILED}:
        raise ValueError("Only what failed or is in doubt can be sent again.")
    now = now or timezone.now()
    with transaction.atomic():
        refusal = _("Wait until the campaign has been sent; then you can send it again to those who are left.")
        _change(campaign, {Status.SENT}, refusal, status=Status.SENDING, finished_at=None)
        count = Delivery.objects.filter(campaign=campaign, state__in=states).update(
            state=State.PENDING, reason="", detail="", attempts=0, retry_at=None, provider_id="", settled_at=None, again_at=now
        )
        if not count:
            raise CampaignRefused(_("There is nobody to send it to again."))
        _write_chunks(campaign, now)
        _set_due_times(campaign, now)
        bells.ring_after_commit("campaigns")
    campaign.refresh_from_db()
    return count


def finish(now):
    """Campaigns all of whose chunks are done have been sent; how many. In a transaction of its own, so that of two workers with the last two
    chunks the later one sees both done."""
    return unfinished().update(status=Status.SENT, finished_at=now)


def unfinished():
    """Being sent, though nothing is left to do."""
    open_chunks = Chunk.objects.filter(campaign=OuterRef("pk")).exclude(state=Chunk.State.DONE)
    return Campaign.objects.filter(~Exists(open_chunks), status=Status.SENDING)
