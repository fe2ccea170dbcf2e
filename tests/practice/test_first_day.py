import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from project.mail.models import Route
from project.practice import first_day

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return User.objects.create_superuser("owner", "owner@practice.example.org", "not a real password")


def test_a_new_practice_has_everything_to_do(owner):
    assert len(first_day.open_steps(owner)) == 5


def test_a_step_goes_away_when_it_is_done(owner, practice):
    practice.organizer_mailbox = "seminars@gulfcoastspine-sample.com"
    practice.save()
    User.objects.create_user("second", is_staff=True)
    for stream in ("transactional", "bulk"):
        Route.objects.update_or_create(stream=stream, defaults={"tested_at": timezone.now()})

    assert first_day.open_steps(owner) == []


@pytest.mark.parametrize("sender", ["a@example.org", "a@mail.example.com", "a@localhost", "a@practice.test"])
def test_a_domain_nobody_owns_is_not_ours(practice, sender):
    practice.organizer_mailbox = sender
    practice.save()

    assert not first_day.sender_is_ours()


def test_nobody_is_asked_for_what_they_may_not_do(practice):
    assert first_day.open_steps(User.objects.create_user("looker", is_staff=True)) == []


def test_every_step_leads_somewhere(admin_client, owner):
    for step in first_day.open_steps(owner):
        assert admin_client.get(step.url()).status_code == 200
