from django.contrib import admin
from django.db import models
from django.shortcuts import redirect
from django.urls import reverse

from .clock_fields import ClockField, ClockInput
from .models import Practice, PracticeText
from .one_line import OneLineTexts


class PracticeTextInline(OneLineTexts, admin.StackedInline):
    model = PracticeText
    extra = 0
    max_num = 2


@admin.register(Practice)
class PracticeAdmin(OneLineTexts, admin.ModelAdmin):
    inlines = [PracticeTextInline]
    formfield_overrides = {models.TimeField: {"form_class": ClockField, "widget": ClockInput}}

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def changelist_view(self, request, extra_context=None):
        return redirect(reverse("admin:practice_practice_change", args=[Practice.current().pk]))
