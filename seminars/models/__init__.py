from .callbacks import Callback
from .people import Speaker, SpeakerText
from .registrations import Registration
from .seats import Mode, SeatPool
from .seminars import Seminar, SeminarText
from .venues import Venue, VenueText

__all__ = [
    "Callback",
    "Mode",
    "Registration",
    "SeatPool",
    "Seminar",
    "SeminarText",
    "Speaker",
    "SpeakerText",
    "Venue",
    "VenueText",
]
