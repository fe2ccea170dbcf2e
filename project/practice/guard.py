"""What keeps programs from using the public forms: a field only they fill in, a stamp that tells how long filling in took, and limits.

    class RegisterForm(GuardedForm):
        guard = "register"
        ...

    form = RegisterForm(request.POST, request=request)
    if form.is_caught():
        return redirect(answer_page)      # the same page as for people, and nothing happens
    if form.is_valid():
        ...

and in the template `{{ form.guard_fields }}` beside `{% csrf_token %}`.
"""

import hashlib
import hmac
import ipaddress
import secrets
from datetime import timedelta
from typing import NamedTuple

from django import forms
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from .models import Knock

_STAMP = signing.TimestampSigner(salt="lectern.guard")
#: How a stamp begins that took the place of one too old. Whoever got it has read the page already and may press at once.
_RENEWED = "again-"

#: Counts are forgotten after so long.
_KEPT = timedelta(days=2)
_SHORT = timedelta(minutes=10)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class Limit(NamedTuple):
    """`most` tries of `what` in each `span` of time; without a span in all, for things that are older than two days by then."""

    what: str
    most: int
    span: timedelta | None = None


def _new_stamp(prefix=""):
    """Names one rendering of a form by a random part, and says when that was."""
    return _STAMP.sign(prefix + secrets.token_urlsafe(12))


class GuardedForm(forms.Form):
    """A public form. Needs the request it came by; `guard` names it in the limits, which hold per form."""

    guard = "form"
    #: Whether what the form gives away can run out, so that one place may not take much of it in a few minutes.
    is_scarce = False

    # Hidden from people's eyes, screen readers and keyboards (templates/forms/guard.html).
    website = forms.CharField(required=False, widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}))
    # A form that comes back with errors keeps its first stamp, so that correcting one letter is never “too quick”.
    opened = forms.CharField(required=False, widget=forms.HiddenInput, initial=_new_stamp)

    def __init__(self, *args, request, **kwargs):
        super().__init__(*args, **kwargs)
        self._request = request

    @property
    def guard_fields(self):
        return mark_safe(render_to_string("forms/guard.html", {"form": self}))  # noqa: S308  a template of our own, which escapes

    def is_caught(self):
        """Whether a program filled this in: in a field no person sees, or faster than a person can."""
        return bool(self["website"].data) or not _took_long_enough(self["opened"].data or "")

    def clean(self):
        """Refuses a page that was open too long, and counts a sending without mistakes against the limits."""
        cleaned = super().clean()
        if _is_too_old(self["opened"].data or ""):
            self._renew_stamp()
            raise ValidationError(_("This page was open for a long time. Please check it and press the button again."), code="open-long")
        if not self.errors and not knock_all(self._limits(cleaned or self.cleaned_data)):
            raise ValidationError(
                _("We have had many requests from here in a short time. Please try again later, or call us."), code="too-many"
            )
        return cleaned

    def _renew_stamp(self):
        self.data = self.data.copy()
        self.data[self.add_prefix("opened")] = _new_stamp(_RENEWED)

    def _limits(self, cleaned):
        """What a sending counts against: its place, whoever it names, and the rendering of the page it came from."""
        place = place_of(self._request)
        limits = [Limit(f"{self.guard}/place/{place}", settings.FORM_PER_HOUR, _HOUR)]
        if self.is_scarce:
            limits.append(Limit(f"{self.guard}/burst/{place}", settings.FORM_BURST, _SHORT))
        for contact in filter(None, (cleaned.get("email"), cleaned.get("phone"))):
            limits.append(Limit(f"{self.guard}/address/{contact.casefold()}", settings.FORM_PER_ADDRESS, _DAY))
        if stamp := self["opened"].data:
            limits.append(Limit(f"{self.guard}/stamp/{stamp}", settings.FORM_PER_PAGE))
        return limits


def _took_long_enough(stamp):
    if not settings.FORM_MIN_SECONDS:
        return True
    try:
        value = _STAMP.unsign(stamp)
    except signing.BadSignature:
        return False
    return value.startswith(_RENEWED) or _is_older(stamp, settings.FORM_MIN_SECONDS)


def _is_too_old(stamp):
    """Only for a stamp of ours: without one, `is_caught` has said what there is to say."""
    return _is_older(stamp, settings.FORM_MAX_HOURS * _HOUR.total_seconds())


def _is_older(stamp, seconds):
    try:
        _STAMP.unsign(stamp, max_age=seconds)
    except signing.BadSignature as error:
        return isinstance(error, signing.SignatureExpired)
    return False


def place_of(request):
    """Where a request comes from: an IPv4 address, or the /64 of an IPv6 one, which is what one household gets.

    X-Forwarded-For is believed only for as many entries, from its end, as there are TRUSTED_PROXIES: the rest anybody can write.
    """
    address = request.META.get("REMOTE_ADDR", "")
    forwarded = [entry.strip() for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    if 0 < settings.TRUSTED_PROXIES <= len(forwarded):
        address = forwarded[-settings.TRUSTED_PROXIES]
    try:
        place = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if place.version == 4:
        return str(place)
    if place.ipv4_mapped:
        return str(place.ipv4_mapped)
    return str(ipaddress.ip_network((place, 64), strict=False).network_address)


def knock(what, most, span):
    """Count one try against `most` per `span` (a timedelta). False when it is one too many. See `knock_all`."""
    return knock_all([Limit(what, most, span)])


def knock_all(limits):
    """Count one try against every limit, or against none: False when it is one too many for any, so that who is refused uses up nothing of
    others' limits. Raises DatabaseError when it can't be counted: then nothing else could be written either, and to say “too many requests”
    would be untrue.

    In the database, not the cache: it holds across processes, and needs nothing that can be down while the page is up. Only hashes are kept.
    """
    now = timezone.now()
    most = {_key(limit, now): limit.most for limit in limits}
    with transaction.atomic():
        # In one order for everybody, so that no two ever wait for each other.
        Knock.objects.bulk_create([Knock(key=key, at=now) for key in sorted(most)], ignore_conflicts=True)
        counts = dict(Knock.objects.select_for_update().filter(key__in=most).order_by("key").values_list("key", "count"))
        if any(counts[key] >= most[key] for key in most):
            return False
        if 0 in counts.values():
            Knock.objects.filter(at__lt=now - _KEPT).delete()
        Knock.objects.filter(key__in=most).update(count=F("count") + 1)
    return True


def _key(limit, now):
    slot = int(now.timestamp() // limit.span.total_seconds()) if limit.span else ""
    return hmac.new(settings.SECRET_KEY.encode(), f"{limit.what}/{slot}".encode(), hashlib.sha256).hexdigest()
