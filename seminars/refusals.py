"""Why something can't be done, said to the person who asked for it. `str(refusal)` is the sentence, in the language active then."""


class Refused(Exception):
    """The rules say no. Nothing was changed."""


class RegistrationClosed(Refused):
    """The seminar is past, cancelled, not published, or not held in the way asked for."""


class NoRoom(Refused):
    """The party is larger than the room, or a coordinator asked for seats that are not free."""


class AlreadyRegistered(Refused):
    """The person is registered for that seminar already; `registration` is what stands. Said to coordinators alone."""

    def __init__(self, sentence, registration):
        super().__init__(sentence)
        self.registration = registration


class NotReady(Refused):
    """A draft still misses something; the sentence names it."""
