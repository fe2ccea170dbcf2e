"""Who comes to a seminar, or waits to."""

import hashlib
import hmac
import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Count, Min, Q, Sum
from django.utils.translation import gettext_lazy as _

from project.mail.addresses import address_hash
from project.mail.routes import message_id_domain
from project.practice.folding import fold
from project.practice.phones import validate_phone

from .seats import Mode
from .seminars import Seminar

LARGEST_PARTY = 4
#: So long a registration knows where it came from: from a Friday evening until the desk looks on Monday.
PLACE_KEPT = timedelta(days=3)
#: So many people, or parties, of one place at one seminar are worth a look.
MANY_PEOPLE, MANY_PARTIES = 8, 4
_FOLDED = 250  # a letter such as ß or ﷺ becomes several


def new_uid():
    """The calendar's name for one registration, for good: 122 random bits, so that nobody can guess another's."""
    return f"reg-{uuid.uuid4()}@{message_id_domain()}"


def place_hash(seminar, place):
    """What stands for the place a registration came from: of use only to see that two of one seminar came from the same."""
    return hmac.new(settings.SECRET_KEY.encode(), f"lectern.place/{seminar.pk}/{place}".encode(), hashlib.sha256).hexdigest()


class RegistrationQuerySet(models.QuerySet):
    def active(self):
        return self.filter(status__in=Registration.ACTIVE)

    def confirmed(self):
        return self.filter(status=Registration.Status.CONFIRMED)

    def waiting(self):
        """Those on the waiting list, in line."""
        return self.filter(status=Registration.Status.WAITLISTED).order_by("waiting_since", "pk")

    def crowds(self, now):
        """Where many came to one seminar from one place of late: dicts of `seminar`, `people`, `parties` and `one` of them, by their ids."""
        places = self.active().filter(created_at__gt=now - PLACE_KEPT, seminar__ends_at__gt=now).exclude(place_hash="")
        counted = (
            places.order_by("seminar").values("seminar", "place_hash").annotate(people=Sum("party_size"), parties=Count("pk"), one=Min("pk"))
        )
        return counted.filter(Q(people__gte=MANY_PEOPLE) | Q(parties__gte=MANY_PARTIES))

    def of_a_known_place(self, now):
        """Those that know their place, and should have forgotten it by now."""
        return self.filter(created_at__lte=now - PLACE_KEPT).exclude(place_hash="")

    def named(self, text):
        """Whose name holds every word of `text`, whatever its accents and case."""
        found = self
        for word in fold(text).split():
            found = found.filter(folded_name__contains=word)
        return found


class Registration(models.Model):
    """One party: the person we write to or call, and how many come."""

    class Status(models.TextChoices):
        CONFIRMED = "confirmed", _("has a seat")
        WAITLISTED = "waitlisted", _("waits")
        OFFERED = "offered", _("has been offered a seat")
        CANCELLED = "cancelled", _("cancelled")

    class Source(models.TextChoices):
        PUBLIC = "public", _("the website")
        FRONT_DESK = "front-desk", _("the front desk")

    class CancelledBy(models.TextChoices):
        PERSON = "person", _("the person")
        FRONT_DESK = "front-desk", _("the front desk")
        SEMINAR = "seminar", _("the seminar was called off")

    ACTIVE = (Status.CONFIRMED, Status.WAITLISTED, Status.OFFERED)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)  # what signed links carry
    seminar = models.ForeignKey(Seminar, models.PROTECT, related_name="registrations", verbose_name=_("seminar"))
    mode = models.CharField(_("attends"), max_length=10, choices=Mode.choices)
    first_name = models.CharField(_("first name"), max_length=60)
    last_name = models.CharField(_("last name"), max_length=60)
    folded_name = models.CharField(max_length=_FOLDED, editable=False)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True, validators=[validate_phone])
    contact_hash = models.CharField(max_length=64, editable=False)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES, default="en")
    party_size = models.PositiveSmallIntegerField(_("people"), default=1)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, editable=False)
    uid = models.CharField(max_length=255, unique=True, default=new_uid, editable=False)
    sequence = models.PositiveIntegerField(default=0, editable=False)  # RFC 5546 §2.1.4
    source = models.CharField(_("came by"), max_length=10, choices=Source.choices, default=Source.PUBLIC, editable=False)
    nonce = models.CharField(max_length=64, null=True, blank=True, editable=False)  # of the form that was sent, and the name in it
    place_hash = models.CharField(max_length=64, blank=True, editable=False)  # see `place_hash`; forgotten after PLACE_KEPT
    waiting_since = models.DateTimeField(_("waiting since"), null=True, editable=False)
    passed_over = models.PositiveSmallIntegerField(default=0, editable=False)  # how often a smaller party was seated first
    created_at = models.DateTimeField(_("registered"), editable=False)
    changed_at = models.DateTimeField(editable=False)  # when status or sequence last changed: the invite's DTSTAMP
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, editable=False)
    cancelled_by = models.CharField(_("cancelled by"), max_length=10, choices=CancelledBy.choices, blank=True, editable=False)

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        ordering = ["seminar", "folded_name", "pk"]
        indexes = [
            models.Index(fields=["seminar", "mode", "waiting_since"], condition=Q(status="waitlisted"), name="registration_in_line"),
            models.Index(fields=["contact_hash", "created_at"], name="registration_contact"),
            models.Index(fields=["created_at"], condition=~Q(place_hash=""), name="registration_of_a_place"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(email="") | ~Q(phone=""), name="registration_can_be_reached"),
            models.CheckConstraint(condition=Q(party_size__gte=1, party_size__lte=LARGEST_PARTY), name="registration_party_of_one_to_four"),
            models.CheckConstraint(condition=~Q(status="waitlisted") | Q(waiting_since__isnull=False), name="registration_waiting_has_a_place"),
            models.CheckConstraint(condition=~Q(status="cancelled") | Q(cancelled_at__isnull=False), name="registration_cancelled_has_a_time"),
            models.UniqueConstraint(
                fields=["seminar", "contact_hash", "folded_name"], condition=~Q(status="cancelled"), name="registration_person_once"
            ),
            models.UniqueConstraint(
                fields=["seminar", "nonce"], condition=~Q(status="cancelled") & Q(nonce__isnull=False), name="registration_form_once"
            ),
        ]

    def __str__(self):
        return f"registration {self.pk}"

    def save(self, *args, **kwargs):
        """Keeps the two columns that say who somebody is in step with the name and contact they are made of."""
        self.folded_name = fold(self.name)[:_FOLDED]
        self.contact_hash = address_hash(self.email or self.phone)
        super().save(*args, **kwargs)

    @property
    def name(self):
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def is_active(self):
        return self.status in self.ACTIVE
