"""Admin for rows that are looked at, and changed by nobody but through the named verbs."""

from django.contrib import admin


class LookOnly:
    """No adding, changing or deleting: whoever may view the rows sees them, and nobody does more."""

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class LookOnlyInline(LookOnly, admin.TabularInline):
    extra = 0
    show_change_link = False
