import pytest
from django.core.exceptions import ValidationError

from project.practice.names import parse_name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Ana", "Ana"),
        ("  María José ", "María José"),
        ("O’Neil-Smith", "O’Neil-Smith"),
        ("D'Angelo", "D'Angelo"),
        ("J.R. Ortiz", "J.R. Ortiz"),
        ("Jose\u0301", "José"),
        ("Nguyễn  Thị", "Nguyễn Thị"),
        ("王小明", "王小明"),
        ("", ""),
        ("a" * 60, "a" * 60),
    ],
)
def test_names_people_have(typed, name):
    assert parse_name(typed) == name


@pytest.mark.parametrize(
    "typed",
    [
        "http://evil.example",
        "Visit evil.example now",
        "www",
        "bit.ly",
        "t.co",
        "evil。example/x",
        "Ana\r\nBcc: b@example.org",
        "Ana\nGil",
        "Ana\x00",
        "Ana\u202egil",
        "<b>Ana</b>",
        "{{ 7 }}",
        "[[email]]",
        "Ana, Gil <x@y>",
        "=HYPERLINK(1)",
        "Ana 🎉",
        "12345",
        "--",
        "a" * 61,
        "a" * 300,
    ],
)
def test_what_is_no_name(typed):
    with pytest.raises(ValidationError):
        parse_name(typed)
