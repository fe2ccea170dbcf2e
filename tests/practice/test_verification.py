import pytest
from django.core.management import call_command

from project.practice import verification

pytestmark = pytest.mark.django_db


@pytest.fixture
def check(monkeypatch):
    """`check(*sentences)`: the only check there is, which finds just that."""
    monkeypatch.setattr(verification, "_checks", {})
    return lambda *sentences: verification.register("sample", lambda: iter(sentences))


def test_all_is_well(check, capsys):
    check()

    call_command("verify")

    assert capsys.readouterr().out == "All is well: sample.\n"


def test_what_is_off_is_printed_and_the_command_fails(check, capsys):
    check("row 1 is off.", "row 2 is off.")

    with pytest.raises(SystemExit) as stopped:
        call_command("verify")

    assert stopped.value.code == 1
    assert capsys.readouterr().out == "sample: row 1 is off.\nsample: row 2 is off.\n"


def test_a_name_is_given_once(check):
    check()

    with pytest.raises(ValueError, match="registered twice"):
        check()


def test_a_fresh_database_is_well():
    assert list(verification.findings()) == []
    assert "consents" in verification.names()
