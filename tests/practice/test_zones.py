from datetime import UTC, date, datetime, time

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from project.practice import zones


def test_a_wall_time_becomes_a_moment():
    assert zones.from_wall(date(2026, 12, 3), time(18, 0), "America/New_York") == datetime(2026, 12, 3, 23, 0, tzinfo=UTC)
    assert zones.from_wall(date(2026, 7, 3), time(18, 0), "America/New_York") == datetime(2026, 7, 3, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize(("day", "code"), [(date(2027, 3, 14), "gap"), (date(2026, 11, 1), "twice")])
def test_the_odd_hours_are_refused(day, code):
    hour = time(2, 30) if code == "gap" else time(1, 30)

    with pytest.raises(ValidationError) as refusal:
        zones.from_wall(day, hour, "America/New_York")

    assert refusal.value.code == code


def test_a_zone_without_summer_time_has_no_odd_hours():
    assert zones.from_wall(date(2027, 3, 14), time(2, 30), "America/Phoenix") == datetime(2027, 3, 14, 9, 30, tzinfo=UTC)


def test_there_and_back():
    moment = zones.from_wall(date(2026, 12, 3), time(18, 15), "America/Denver")

    assert zones.to_wall(moment, "America/Denver") == datetime(2026, 12, 3, 18, 15)  # noqa: DTZ001  wall time is naive


def test_a_moment_in_words_names_the_zone():
    with translation.override("en"):
        words = zones.moment_words(datetime(2026, 12, 3, 23, 0, tzinfo=UTC), "America/New_York")

    assert words == "Thursday, December 3, 2026, at 6 p.m. Eastern Time"


@pytest.mark.parametrize(
    ("hour", "words"),
    [
        (18, "jueves, 3 de diciembre de 2026, 1 p.m., hora del Este"),
        (23, "jueves, 3 de diciembre de 2026, 6 p.m., hora del Este"),
        (17, "jueves, 3 de diciembre de 2026, mediodía, hora del Este"),
    ],
)
def test_a_moment_in_spanish_words_fits_every_hour(hour, words):
    """“A las 1 p.m.” and “a las mediodía” would both be wrong, so the hour stands by itself."""
    with translation.override("es"):
        assert zones.moment_words(datetime(2026, 12, 3, hour, 0, tzinfo=UTC), "America/New_York") == words


@pytest.mark.parametrize(("language", "words"), [("en", "Boise Time"), ("es", "hora de Boise")])
def test_a_zone_without_a_common_name_goes_by_its_city(language, words):
    with translation.override(language):
        assert zones.zone_name("America/Boise") == words


@pytest.mark.parametrize("year", [1, 1899, 2200, 9999])
def test_a_year_nobody_can_mean_is_asked_about(year):
    with translation.override("en"), pytest.raises(ValidationError, match="year"):
        zones.from_wall(date(year, 12, 31), time(23, 59), "America/New_York")
