"""The migration that makes readers be found quickly: it folds the names of those who were there before."""

import importlib

import pytest
from django.apps import apps
from django.db import connection

from newsletter.models import Subscriber

pytestmark = pytest.mark.django_db

migration = importlib.import_module("newsletter.migrations.0004_readers_found_quickly")


@pytest.mark.parametrize(
    ("last_name", "folded"),
    [
        ("", ""),
        ("O'Neil-Smith", "o'neil-smith"),
        ("PEÑA Güell", "pena guell"),
        ("Wiśniewski", "wisniewski"),
        ("Παπαδόπουλος", "παπαδοπουλοσ"),
        ("Großmann", "grossmann"),
        ("ÀÔ", "ao"),
        ("ﬃ" * 60, "ffi" * 33 + "f"),
    ],
)
def test_names_that_were_there_before_are_folded(last_name, folded):
    before = Subscriber.objects.create(address="before@example.org", first_name="Inés", last_name=last_name)
    Subscriber.objects.update(folded_first="", folded_last="")

    migration.fold_names(apps, connection.schema_editor())

    before.refresh_from_db()
    assert (before.folded_first, before.folded_last) == ("ines", folded)
    assert list(Subscriber.objects.found_by("ines")) == [before]
