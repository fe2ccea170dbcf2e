"""Messages that no server on the way has cause to rewrite: a changed byte breaks the signature (DKIM) under a letter.

Django sends text as it is, in eight bits. A server that may hand on only seven must encode it anew (RFC 6152), and does so after the signature
was made. So text travels as quoted-printable, with lines of at most 76 characters, and headers are folded as every parser reads them.
"""

from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import utf8_charset_qp

from . import headers


class SevenBitMessage(EmailMultiAlternatives):
    """Django's, with text in quoted-printable and a head written by `headers`."""

    encoding = utf8_charset_qp

    def message(self):
        built = super().message()
        built.policy = headers.HEAD
        subject = headers.unstructured(str(self.subject), room=headers.LINE - len("Subject: "))
        built.replace_header("Subject", headers.unfolded(subject))
        return built


def in_seven_bits(message):
    """A message Django itself has made, such as a password reset, as one of these; whatever it holds stays."""
    if isinstance(message, SevenBitMessage):
        return message
    same = SevenBitMessage()
    vars(same).update(vars(message))
    return same
