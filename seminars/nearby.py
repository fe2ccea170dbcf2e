"""How far it is to a seminar, worked out offline from ZIP codes: nobody outside learns where a patient lives, and nothing is kept."""

import re
from dataclasses import dataclass, field
from math import asin, cos, radians, sin, sqrt

import zipcodes
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .models import Seminar

EARTH_RADIUS_MILES = 3958.8
#: How far somebody in pain would let themselves be driven for an evening, in miles: what lies beyond is better joined from home.
NEAR = 100
_ZIP = re.compile(r"[0-9]{5}(-[0-9]{4})?")


@dataclass(frozen=True)
class Place:
    """A point on the map, in degrees."""

    latitude: float
    longitude: float


@dataclass
class Sorted:
    """Seminars as somebody at a place would look through them."""

    near: list = field(default_factory=list)  # nearest first
    from_home: list = field(default_factory=list)  # soonest first
    farther: list = field(default_factory=list)  # nearest first; at the end those nobody knows the distance of


def place_of_zip(text):
    """The middle of the ZIP code a person typed (`33607` or `33607-1234`); None for what isn't one, or has no place, such as an APO."""
    text = (text or "").strip()
    if not _ZIP.fullmatch(text):
        return None
    found = zipcodes.matching(text[:5])
    if not found or not found[0]["lat"] or not found[0]["long"]:
        return None
    return Place(float(found[0]["lat"]), float(found[0]["long"]))


def place_of_venue(venue):
    """Where a venue is: its own coordinates, else the middle of its ZIP code, else None."""
    if venue.latitude is not None and venue.longitude is not None:
        return Place(float(venue.latitude), float(venue.longitude))
    return place_of_zip(venue.postal_code)


def miles(here, there):
    """Great-circle miles between two places (haversine). People drive further; so the words say “about”."""
    north, south = radians(here.latitude), radians(there.latitude)
    chord = sin((south - north) / 2) ** 2 + cos(north) * cos(south) * sin(radians(there.longitude - here.longitude) / 2) ** 2
    return 2 * EARTH_RADIUS_MILES * asin(sqrt(min(1.0, chord)))


def distance_words(distance):
    """`about 12 miles away`, in the active language."""
    if distance < 1:
        return _("less than a mile away")
    whole = round(distance)
    # With a comma in Spanish too: so the Spanish of the United States writes its thousands.
    return ngettext("about %(miles)s mile away", "about %(miles)s miles away", whole) % {"miles": f"{whole:,}"}


def by_distance(seminars, here, *, in_person=False):
    """The seminars, soonest first, as a Sorted, each with its `miles` (None: online, or nobody knows where).

    A hybrid one whose room is too far away can still be joined from home, unless the person wants to be there `in_person`.
    """
    found = Sorted()
    for seminar in seminars:
        there = None if seminar.format == Seminar.Format.ONLINE else place_of_venue(seminar.venue)
        seminar.miles = None if there is None else miles(here, there)
        if seminar.miles is not None and seminar.miles <= NEAR:
            found.near.append(seminar)
        elif seminar.format != Seminar.Format.IN_PERSON and not in_person:
            found.from_home.append(seminar)
        else:
            found.farther.append(seminar)
    for some in (found.near, found.farther):
        some.sort(key=lambda seminar: (seminar.miles is None, seminar.miles or 0.0))
    return found
