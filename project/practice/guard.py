"""What keeps programs from using the public forms: a field only they fill in, a stamp that tells how long filling in took, and a limit.

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
from datetime import timedelta

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


class GuardedForm(forms.Form):
    """A public form. Needs the request it came by; `guard` names it in the limits, which hold per form."""

    guard = "form"

    # Hidden from people's eyes, screen readers and keyboards (templates/forms/guard.html).
    website = forms.CharField(required=False, widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}))
    # A form that comes back with errors keeps its first stamp, so that correcting one letter is never “too quick”.
    opened = forms.CharField(required=False, widget=forms.HiddenInput, initial=lambda: _STAMP.sign("opened"))

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
        """Counts a sending without mistakes against the limits of its place and its address."""
        cleaned = super().clean()
        if not self.errors:
            place = knock(f"{self.guard}/place/{place_of(self._request)}", settings.FORM_PER_HOUR, timedelta(hours=1))
            address = (cleaned or self.cleaned_data).get("email")
            if not place or (address and not knock(f"{self.guard}/address/{address.casefold()}", settings.FORM_PER_ADDRESS, timedelta(days=1))):
                raise ValidationError(
                    _("We have had many requests from here in a short time. Please try again later, or call us."), code="too-many"
                )
        return cleaned


def _took_long_enough(stamp):
    if not settings.FORM_MIN_SECONDS:
        return True
    try:
        _STAMP.unsign(stamp)
    except signing.BadSignature:
        return False
    try:
        _STAMP.unsign(stamp, max_age=settings.FORM_MIN_SECONDS)
    except signing.SignatureExpired:
        return True
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


def knock(what, limit, span):
    """Count one try against `limit` per `span` (a timedelta). False when it is one too many. Raises DatabaseError when it can't be counted:
    then nothing else could be written either, and to say “too many requests” would be untrue.

    In the database, not the cache: it holds across processes, and needs nothing that can be down while the page is up. Only a hash is kept.
    """
    now = timezone.now()
    slot = int(now.timestamp() // span.total_seconds())
    key = hmac.new(settings.SECRET_KEY.encode(), f"{what}/{slot}".encode(), hashlib.sha256).hexdigest()
    with transaction.atomic():
        _row, first = Knock.objects.get_or_create(key=key, defaults={"at": now})
        if first:
            Knock.objects.filter(at__lt=now - timedelta(days=2)).delete()
        return bool(Knock.objects.filter(key=key, count__lt=limit).update(count=F("count") + 1))
