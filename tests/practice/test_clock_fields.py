from datetime import time

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from project.practice.clock_fields import ClockField


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    "typed", ["18:00", "18:00:00", "6 pm", "6pm", "6 PM", "6:00 p.m.", "6:00 p. m.", " 6:00\u00a0p.\u00a0m. ", "06:00 PM", "6p"]
)
def test_a_time_is_read_as_people_type_it(typed, language):
    with translation.override(language):
        assert ClockField().clean(typed) == time(18)


@pytest.mark.parametrize(("typed", "meant"), [("12 am", time(0)), ("12 pm", time(12)), ("9:05 a.m.", time(9, 5)), ("0:30", time(0, 30))])
def test_noon_and_midnight_are_not_mixed_up(typed, meant):
    assert ClockField().clean(typed) == meant


@pytest.mark.parametrize("typed", ["25:00", "13 pm", "6 o’clock", "pm", "evening"])
def test_what_is_no_time_is_asked_for_with_an_example(typed):
    with pytest.raises(ValidationError) as refusal:
        ClockField().clean(typed)

    assert refusal.value.messages == ["Please write the time like 6:30 pm or 18:30."]


def test_a_time_shows_as_it_is_said_and_saving_it_again_changes_nothing():
    field = ClockField()
    shown = field.widget.format_value(time(18, 30))

    assert shown == "6:30 PM"
    assert not field.has_changed(time(18, 30), shown)
    assert field.widget.format_value("half past") == "half past"
