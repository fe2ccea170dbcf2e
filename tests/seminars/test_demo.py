"""The demo's sample content: whole in both languages, put in once, and as right as if people had done it."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from tempfile import TemporaryDirectory
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db.models import Count, Sum
from django.db.models.fields import CharField, TextField
from django.test import TestCase, override_settings
from django.utils import timezone

from newsletter import audience, consent, content, reports
from newsletter.demo import seeding, texts
from newsletter.demo.people import people
from newsletter.models import Campaign, CampaignText, Delivery, InfoPacketText, Subscriber, Subscription
from project.mail.models import Message, Suppression
from project.practice import demo, verification
from project.practice.models import Practice
from seminars.demo.program import PROGRAM, starts_at
from seminars.models import Callback, Registration, SeatPool, Seminar

WORDS = [model for model in apps.get_models() if model.__name__.endswith("Text")]


@pytest.fixture
def may_seed(db, settings, tmp_path):
    settings.LOCAL, settings.MEDIA_ROOT = True, tmp_path
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def seeded(may_seed, monkeypatch):
    """Seeded, without the second it takes to set the packets."""
    monkeypatch.setattr(seeding, "_pdf", no_pdf)
    call_command("seed_demo", verbosity=0)


def no_pdf(*_words):
    return b"%PDF-"


def _counts():
    return {model._meta.label: model.objects.count() for model in apps.get_models()}


def test_seeding_twice_equals_once(seeded):
    once = _counts()

    said = StringIO()
    call_command("seed_demo", stdout=said)

    assert _counts() == once
    assert said.getvalue().startswith("Harborlight Spine: 11 seminars")


def test_refuses_outside_debug(db, settings):
    settings.LOCAL = False

    with pytest.raises(CommandError, match="DEBUG=1"):
        call_command("seed_demo")

    assert not get_user_model().objects.exists()


def test_names_are_the_same_each_time_and_nobody_shares_an_address():
    crowd = people(300, seed=1)

    assert crowd == people(300, seed=1)
    assert len({person.address for person in crowd}) == 300
    assert any("’" in person.last_name for person in crowd)
    assert any(" " in person.last_name for person in crowd)


class Seeded(TestCase):
    """Seeded once for the whole class: its tests only read."""

    @classmethod
    def setUpTestData(cls):
        with TemporaryDirectory() as folder, override_settings(LOCAL=True, MEDIA_ROOT=folder), patch.object(seeding, "_pdf", no_pdf):
            call_command("seed_demo", verbosity=0)


class TestWhole(Seeded):
    def test_verify_finds_nothing(self):
        assert list(verification.findings()) == []

    def test_two_can_sign_in_and_one_is_a_coordinator(self):
        users = get_user_model().objects

        assert users.get(username=demo.USER).is_superuser
        coordinator = users.get(username=demo.COORDINATOR)
        assert (coordinator.is_staff, coordinator.is_superuser) == (True, False)
        assert [group.name for group in coordinator.groups.all()] == [demo.GROUP]

    def test_every_text_is_there_in_both_languages(self):
        for model in WORDS:
            rows = list(model.objects.all())
            one_sided = 1 if model is CampaignText else 0  # the draft that shows the warning
            fields = [field.name for field in model._meta.fields if isinstance(field, (CharField, TextField))]

            assert rows
            assert len([row for row in rows if row.language == "en"]) == len([row for row in rows if row.language == "es"]) + one_sided
            assert [(model, row.pk, name) for row in rows for name in fields if not getattr(row, name).strip()] == []
            for row in rows:
                row.full_clean(exclude=["pdf"])

    def test_everybody_is_plainly_made_up(self):
        addresses = [
            *Subscriber.objects.values_list("address", flat=True),
            *Registration.objects.exclude(email="").values_list("email", flat=True),
        ]
        phones = Registration.objects.exclude(phone="").values_list("phone", flat=True)

        assert [address for address in addresses if not address.endswith("@example.org")] == []
        assert [phone for phone in phones if not phone.startswith("+181355501")] == []
        assert Practice.current().phone == "+18135550100"
        assert Practice.current().postal_address


def test_one_leaves_by_itself(seeded, deliver, time_machine):
    campaign = Campaign.objects.get(status=Campaign.Status.SCHEDULED)
    expected = audience.of(campaign).will_get

    assert deliver() == []
    time_machine.move_to(campaign.send_at + timedelta(seconds=1))
    letters = deliver(60)

    assert len(letters) == expected == Delivery.objects.filter(campaign=campaign, state="sent").count()
    assert {"Physical therapy after spine surgery", "Terapia física después de una cirugía de columna"} == {
        letter.subject.partition(":")[0] for letter in letters
    }


class TestNewsletter(Seeded):
    def test_readers_in_both_languages_each_with_consent(self):
        assert Subscriber.objects.count() == 300
        assert 60 <= Subscriber.objects.filter(language="es").count() <= 120
        assert list(consent.check()) == []
        assert Subscription.objects.exclude(ended_at=None).count() > 10
        assert Suppression.objects.count() == 5

    def test_the_issues_can_be_sent_as_they_are(self):
        assert {
            (text.campaign.slug, text.language): content.problems(text) for text in CampaignText.objects.all() if content.problems(text)
        } == {}

    def test_one_has_been_sent_and_its_sums_meet(self):
        sent = Campaign.objects.get(slug="what-an-mri-can-tell")
        report = reports.of(sent)

        assert sent.status == Campaign.Status.SENT
        assert report.percent == 100
        assert report.states["failed"] >= 4
        assert report.states["skipped"] == 3
        assert report.audience == sum(report.states.values()) == 300 - seeding.LATECOMERS
        assert not sent.deliveries.exclude(settled_at__lt=timezone.now() - timedelta(days=8)).exists()

    def test_one_draft_leaves_spanish_readers_out(self):
        assert audience.of(Campaign.objects.get(slug="holiday-hours")).left_out > 50
        assert audience.of(Campaign.objects.get(slug="sleeping-with-back-pain")).left_out == 0


class TestPackets:
    def test_are_real_tagged_pdfs(self, may_seed):
        call_command("seed_demo", verbosity=0)

        for text in InfoPacketText.objects.all():
            with text.pdf.open("rb") as file:
                pdf = file.read()

            assert pdf.startswith(b"%PDF-")
            assert 4 <= pdf.count(b"/Type /Page\n") <= 6
            assert f"/Lang ({text.language}-US)".encode() in pdf
            assert b"/Marked true" in pdf
            assert len(pdf) < 100_000

    def test_a_lost_file_is_set_again(self, seeded):
        text = InfoPacketText.objects.first()
        text.pdf.storage.delete(text.pdf.name)

        call_command("seed_demo", verbosity=0)

        text.refresh_from_db()
        assert text.pdf.storage.exists(text.pdf.name)

    def test_every_sample_text_has_both_languages(self):
        names = {path.name.rsplit(".", 2)[0] for path in (texts.HERE / "packets").glob("*.md")}

        assert names == set(seeding.PACKETS)
        assert {path.name for path in (texts.HERE / "packets").glob("*.md")} == {
            f"{name}.{language}.md" for name in names for language in ("en", "es")
        }


class TestSeminars(Seeded):
    def test_eight_in_five_cities_two_online_one_hybrid(self):
        by_format = dict(Seminar.objects.published().values_list("format").annotate(count=Count("pk")))

        assert by_format == {"in-person": 8, "online": 2, "hybrid": 1}
        assert Seminar.objects.filter(format="in-person").values("venue__city").distinct().count() == 5
        assert set(Seminar.objects.values_list("talk_language", flat=True)) == {"en", "es"}
        for seminar in Seminar.objects.all():
            seminar.full_clean()

    def test_seats_match_who_registered(self):
        for pool in SeatPool.objects.all():
            here = Registration.objects.filter(seminar=pool.seminar_id, mode=pool.mode)
            seated = here.confirmed().aggregate(people=Sum("party_size", default=0))["people"]
            waiting = here.waiting().aggregate(people=Sum("party_size", default=0))["people"]

            assert (pool.expected, pool.waiting) == (seated, waiting)

    def test_one_is_full_with_people_waiting_and_one_nearly(self):
        full = SeatPool.objects.get(seminar__slug="atlanta-library")
        nearly = SeatPool.objects.get(seminar__slug="orlando-sabado")

        assert (full.free, full.taken) == (0, full.capacity)
        assert full.waiting >= 5
        assert 1 <= nearly.free <= 4

    def test_somebody_without_e_mail_waits_for_a_call(self):
        call = Callback.objects.open().get()

        assert call.reason == Callback.Reason.SEAT_FREE
        assert call.registration.email == ""

    def test_their_letters_are_recorded_as_sent(self):
        assert not Message.objects.exclude(state=Message.State.SENT).exists()
        assert Message.objects.filter(kind="seminars.confirmed").count() > 80


class TestProgram:
    @pytest.mark.parametrize("hour", range(0, 24, 3))
    def test_something_happens_today_or_tomorrow(self, hour):
        now = datetime(2026, 11, 23, hour, 30, tzinfo=UTC)
        begins = starts_at(PROGRAM[0], now)

        assert timedelta(hours=1) < begins - now < timedelta(days=1, hours=19)

    @pytest.mark.parametrize("day", range(0, 366, 5))
    def test_evenings_and_saturday_mornings_within_ten_weeks(self, day):
        now = datetime(2026, 1, 1, 15, tzinfo=UTC) + timedelta(days=day)
        for plan in PROGRAM[1:]:
            begins = starts_at(plan, now).astimezone(ZoneInfo(plan.zone))

            assert timedelta(0) < begins - now <= timedelta(days=72)
            assert (begins.hour < 12) == (begins.weekday() == 5)
            assert (begins.month, begins.day) not in {(12, 24), (12, 25), (12, 31), (1, 1)}
