"""Distances from ZIP codes, and how lengths are said."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils.translation import override

from seminars.nearby import Place, distance_words, miles, place_of_venue, place_of_zip
from seminars.words import length_words

TAMPA, ATLANTA = Place(27.9625, -82.4895), Place(33.7525, -84.3888)


def test_miles_are_those_of_the_map_and_the_same_both_ways():
    assert round(miles(TAMPA, ATLANTA)) == 416
    assert miles(TAMPA, ATLANTA) == pytest.approx(miles(ATLANTA, TAMPA))
    assert miles(TAMPA, TAMPA) == 0
    assert round(miles(Place(0, 0), Place(0, 180))) == 12_437


@pytest.mark.parametrize("text", ["33607", " 33607 ", "33607-1234"])
def test_a_zip_code_has_a_place(text):
    assert place_of_zip(text) == TAMPA


@pytest.mark.parametrize("text", ["", None, "00000", "3360", "336071", "33607-", "abcde", "３３６０７", "33607\n33607"])
def test_what_is_no_zip_code_has_none(text):
    assert place_of_zip(text) is None


def test_a_venue_without_coordinates_is_where_its_zip_code_is():
    assert place_of_venue(SimpleNamespace(latitude=None, longitude=None, postal_code="33607")) == TAMPA
    assert place_of_venue(SimpleNamespace(latitude=0.0, longitude=0.0, postal_code="33607")) == Place(0, 0)


@pytest.mark.parametrize(
    ("distance", "words"),
    [(0, "less than a mile away"), (1.2, "about 1 mile away"), (11.6, "about 12 miles away"), (415, "about 415 miles away")],
)
def test_distances_are_said_roughly(distance, words):
    with override("en"):
        assert distance_words(distance) == words


@pytest.mark.parametrize(("minutes", "words"), [(45, "45 minutes"), (60, "1 hour"), (90, "1 hour 30 minutes"), (121, "2 hours 1 minute")])
def test_lengths_are_said_in_words(minutes, words):
    with override("en"):
        assert length_words(timedelta(minutes=minutes)) == words
