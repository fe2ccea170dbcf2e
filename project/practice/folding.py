"""How names are compared: as a person at the desk types them, without accents and in any case."""

import unicodedata

from django.db import models


def fold(text):
    """`  José  GONZÁLEZ ` → `jose gonzalez`: accents off, case off, single spaces."""
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return " ".join(bare.casefold().split())


class FoldedField(models.CharField):
    """Another field's text, folded, so that an index finds who is typed without accents. `of`: that field's name.

    Kept by `save()` and `bulk_create()` by themselves; an `update()` of the other field must bring it along.
    """

    def __init__(self, *args, of, **kwargs):
        self.of = of
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"of": self.of}

    def pre_save(self, instance, add):
        folded = fold(getattr(instance, self.of))[: self.max_length]
        setattr(instance, self.attname, folded)
        return folded
