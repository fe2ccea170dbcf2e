"""The stylesheets: every pair of colours that meets as words and ground can be read, and nothing is fetched from elsewhere."""

import re

import pytest
from django.conf import settings

from project.mail.templatetags import letters

STATIC = settings.BASE_DIR / "project" / "static"
CSS = (STATIC / "lectern.css").read_text()
ADMIN = (STATIC / "admin.css").read_text()

# Words and their grounds, by the stylesheet's own names.
WORDS = [
    ("ink", "paper"),
    ("ink", "linen"),
    ("ink", "honey-pale"),
    ("ink", "good-pale"),
    ("ink", "bad-pale"),
    ("ink-soft", "paper"),
    ("ink-soft", "linen"),
    ("link", "paper"),
    ("link", "linen"),
    ("link", "honey-pale"),
    ("link", "good-pale"),
    ("paper", "ink"),
    ("paper", "bad"),
    ("honey-deep", "honey-pale"),
    ("good", "good-pale"),
    ("bad", "paper"),
    ("bad", "bad-pale"),
]
ADMIN_WORDS = [
    ("body-fg", "body-bg"),
    ("body-fg", "darkened-bg"),
    ("body-fg", "selected-row"),
    ("body-fg", "message-warning-bg"),
    ("body-quiet-color", "body-bg"),
    ("body-quiet-color", "darkened-bg"),
    ("link-fg", "body-bg"),
    ("link-fg", "darkened-bg"),
    ("link-fg", "selected-row"),
    ("link-fg", "message-warning-bg"),
    ("error-fg", "message-error-bg"),
    ("good-fg", "message-success-bg"),
    ("warm-fg", "message-warning-bg"),
    ("breadcrumbs-fg", "breadcrumbs-bg"),
]


def colours(css):
    """`{name: #rrggbb}` of a block of custom properties."""
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", css))


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """WCAG 2.2's contrast ratio of two colours, 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("words", "ground"), WORDS)
def test_words_on_pages_can_be_read(words, ground):
    names = colours(CSS)

    assert contrast(names[words], names[ground]) >= 4.5


@pytest.mark.parametrize("ground", ["paper", "linen"])
def test_the_border_of_a_field_can_be_seen(ground):
    names = colours(CSS)

    assert contrast(names["edge"], names[ground]) >= 3


@pytest.mark.parametrize(("words", "ground"), ADMIN_WORDS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_at_the_front_desk_can_be_read_by_day_and_by_night(words, ground, scheme):
    light, dark = (re.search(rf'html\[data-theme="{theme}"\] \{{(.*?)\n\}}', ADMIN, re.DOTALL)[1] for theme in ("light", "dark"))
    names = colours(light) | (colours(dark) if scheme == "dark" else {})

    assert contrast(names[words], names[ground]) >= 4.5


def test_the_two_ways_to_the_dark_agree():
    by_system = re.search(r"prefers-color-scheme: dark\) \{\s*:root \{(.*?)\n  \}", ADMIN, re.DOTALL)[1]
    by_choice = re.search(r'html\[data-theme="dark"\] \{(.*?)\n\}', ADMIN, re.DOTALL)[1]

    assert colours(by_system) == colours(by_choice)


def test_letters_wear_the_colours_of_the_pages():
    names = colours(CSS)

    ours = [letters.INK, letters.SOFT, letters.LINK, letters.PAPER, letters.LINEN, letters.LINE, letters.HONEY]
    assert ours == [names[name] for name in ("ink", "ink-soft", "link", "paper", "linen", "line", "honey")]


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*.css")) + sorted(STATIC.rglob("*.svg")), ids=lambda path: path.name)
def test_nothing_is_fetched_from_elsewhere(path):
    text = path.read_text().replace("http://www.w3.org/2000/svg", "")

    assert "//" not in text
    assert "@import" not in text


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*.css")), ids=lambda path: path.name)
def test_every_file_a_stylesheet_names_is_there(path):
    named = re.findall(r'url\("([^"]+)"\)', path.read_text())

    assert named
    assert [name for name in named if not (path.parent / name).is_file()] == []
