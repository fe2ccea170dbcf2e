"""How names are compared: as a person at the desk types them, without accents and in any case."""

import unicodedata


def fold(text):
    """`  José  GONZÁLEZ ` → `jose gonzalez`: accents off, case off, single spaces."""
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return " ".join(bare.casefold().split())
