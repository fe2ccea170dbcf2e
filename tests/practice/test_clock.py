from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from project.mail.models import Suppression

pytestmark = pytest.mark.django_db


def test_the_desk_sees_the_practices_clock_and_nobody_after_it(admin_client, practice):
    practice.zone = "America/Denver"
    practice.save()
    user = User.objects.create_user("early", is_staff=True)
    User.objects.filter(pk=user.pk).update(last_login=datetime(2026, 12, 4, 1, 30, tzinfo=UTC))

    page = admin_client.get(f"/admin/auth/user/{user.pk}/change/").content.decode()

    assert 'value="18:30:00"' in page
    assert timezone.get_current_timezone_name() == "UTC"


def test_suppressions_are_listed_by_that_clock(admin_client, practice):
    row = Suppression.objects.create(address_hash="0" * 64, scope="all", reason="by-hand")
    Suppression.objects.filter(pk=row.pk).update(created_at=datetime(2026, 12, 4, 1, 30, tzinfo=UTC))

    page = admin_client.get("/admin/mail/suppression/").content.decode()

    assert "Dec. 3, 2026, 8:30 p.m." in page
