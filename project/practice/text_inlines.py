"""Admin inlines for `…Text` rows: a form for each of the site's languages, already named, so that none is forgotten."""

from django.conf import settings
from django.contrib import admin

from .one_line import OneLineTexts


class TextInline(OneLineTexts, admin.StackedInline):
    """One form per language: those written, then an empty one for each that is missing."""

    max_num = len(settings.LANGUAGES)

    def get_extra(self, request, obj=None, **kwargs):
        return len(_missing(self.model, self.parent_model, obj))


class TextsAdmin(OneLineTexts, admin.ModelAdmin):
    """A ModelAdmin with a TextInline: its empty forms come with their language chosen."""

    def get_formset_kwargs(self, request, obj, inline, prefix):
        kwargs = super().get_formset_kwargs(request, obj, inline, prefix)
        if isinstance(inline, TextInline):
            kwargs["initial"] = [{"language": language} for language in _missing(inline.model, self.model, obj if obj and obj.pk else None)]
        return kwargs


def _missing(model, parent, obj):
    parent_key = next(field.name for field in model._meta.fields if field.is_relation and field.related_model is parent)
    written = set(model.objects.filter(**{parent_key: obj}).values_list("language", flat=True)) if obj else set()
    return [language for language, _name in settings.LANGUAGES if language not in written]
