"""The site's languages, and what all `…Text` rows share: one per language, and never another language's words in their place."""

from django.conf import settings
from django.utils.translation import get_language, get_language_info


def languages():
    """Pairs of each language's code and its own name, so that whoever needs it can read it: for a form's choices."""
    return [(code, get_language_info(code)["name_local"].capitalize()) for code, _name in settings.LANGUAGES]


def in_language(texts, language=None):
    """The text in a language, the active one by default; None where nobody has written it. Reads a prefetched relation without a query."""
    language = (language or get_language() or settings.LANGUAGE_CODE)[:2]
    return next((text for text in texts.all() if text.language == language), None)


def missing(texts, fields):
    """The languages (names, in the site's order) in which a text, or one of its `fields`, is still empty."""
    found = {text.language: text for text in texts.all()}
    return [
        name for language, name in settings.LANGUAGES if language not in found or not all(getattr(found[language], field) for field in fields)
    ]
