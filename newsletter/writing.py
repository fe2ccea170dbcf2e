"""Writers: one campaign in one language, compiled once per process and ready to write any reader's letter.

Compiling (Markdown, styles, MIME) takes thousands of times longer than filling in a name, and a worker comes back to the same campaign every
500 letters; so writers are kept, by everything that goes into them.
"""

import functools
import time
from email.utils import parseaddr

from django.utils import translation

from project.mail.letters import sender
from project.practice.models import Practice

from . import batching, campaign_letters, content, skeleton


class WordsChanged(Exception):
    """The words are not what was launched."""


class Writer:
    """What carriers ask of a campaign in one language (project.mail.carriers.Writer). Letters are chunks.Letter."""

    def __init__(self, text, practice, topic):
        self.compiled = content.compiled(text, practice)
        self.practice, self.topic = practice, topic
        self.sender = parseaddr(sender(practice))[1]
        whole = skeleton.of(self.compiled, practice, topic)
        self.wire, self.parts = whole.wire, whole.parts
        self._sheets = {}

    def message(self, letter):
        with translation.override(self.compiled.language):
            return campaign_letters.message(self.compiled, letter.reader, self.practice, self.topic, letter=letter.name)

    def batch(self, letters, can):
        if can.dialect not in self._sheets:
            self._sheets[can.dialect] = batching.Sheet(self.compiled, self.practice, self.topic, can)
        return self._sheets[can.dialect].message(letters)


def of(chunk):
    """The Writer for a chunk's letters. Raises WordsChanged, skeleton.SkeletonDiffers, or whatever keeps the text from being rendered."""
    campaign = chunk.campaign
    texts = {text.language: text for text in campaign.texts.all()}
    if content.content_hash(texts.values()) != campaign.content_hash:
        raise WordsChanged
    return _kept(_Ingredients(texts[chunk.language], _practice(campaign.launched_at), campaign.topic, campaign.content_hash))


#: For how long a process believes that the practice's facts are what they were, in seconds.
_BELIEVE = 1.0

_believed = {}


def _practice(launched_at):
    """The practice's row; looked up once a second, since ten chunks may be begun in one. `launched_at`: no campaign believes another's."""
    looked, practice = _believed.get(launched_at, (float("-inf"), None))
    if time.monotonic() - looked >= _BELIEVE:
        practice = Practice.current()
        _believed.clear()
        _believed[launched_at] = time.monotonic(), practice
    return practice


class _Ingredients:
    """All that goes into a Writer; equal when it would come out the same."""

    def __init__(self, text, practice, topic, content_hash):
        self.text, self.practice, self.topic = text, practice, topic
        facts = [getattr(practice, field.attname) for field in practice._meta.concrete_fields]
        self._all = (content_hash, text.pk, text.language, topic.slug, *facts)

    def __eq__(self, other):
        return self._all == other._all

    def __hash__(self):
        return hash(self._all)

    def writer(self):
        return Writer(self.text, self.practice, self.topic)


@functools.lru_cache(maxsize=8)
def _kept(ingredients):
    return ingredients.writer()
