from django.contrib import admin

from project.practice.text_inlines import TextInline, TextsAdmin

from ..models import Speaker, SpeakerText, Venue, VenueText


class VenueTextInline(TextInline):
    model = VenueText


@admin.register(Venue)
class VenueAdmin(TextsAdmin):
    list_display = ["name", "city", "state", "zone"]
    list_filter = ["state"]
    search_fields = ["name", "city", "postal_code"]
    inlines = [VenueTextInline]


class SpeakerTextInline(TextInline):
    model = SpeakerText


@admin.register(Speaker)
class SpeakerAdmin(TextsAdmin):
    list_display = ["full_name"]
    search_fields = ["name"]
    inlines = [SpeakerTextInline]
