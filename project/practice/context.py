from django.utils.functional import SimpleLazyObject

from .models import Practice


def practice(request):
    """`practice` in every template, read from the database only where a page shows it."""
    return {"practice": SimpleLazyObject(Practice.current)}
