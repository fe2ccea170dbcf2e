"""Addresses that are most likely misspelled: asked about once, never corrected by ourselves.

A letter to `gmial.com` reaches a stranger or nobody, and the person waits for it. Only the commonest slips are known here, of the providers
most people have: a wrong guess costs an honest person one more press, so a guess that is often wrong is worse than none.
"""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from .addresses import parse_address

_SLIPS = {
    "gmail.com": "gmial.com gamil.com gmai.com gmal.com gmil.com gmali.com gnail.com gmaill.com gmail.co gmail.cm gmail.om",
    "yahoo.com": "yaho.com yahooo.com yhoo.com yahho.com ayhoo.com yahoo.co yahoo.cm yahoo.om",
    "hotmail.com": "hotmial.com hotmai.com hotmal.com hotmil.com htomail.com hotmaill.com hotmail.co hotmail.cm hotmail.om",
    "outlook.com": "outlok.com outloook.com oulook.com outllok.com outlook.co outlook.cm",
    "icloud.com": "iclod.com icoud.com iclould.com icloud.co icloud.cm",
    "comcast.net": "comcat.net comcst.net comacst.net",
    "aol.com": "aoll.com aol.co aol.cm",
}
_MEANT = {slip: domain for domain, slips in _SLIPS.items() for slip in slips.split()}
#: Ends that are no top-level domain, so that no letter can ever arrive there.
_NO_ENDS = {".con": ".com", ".cmo": ".com", ".ocm": ".com", ".nte": ".net", ".ogr": ".org"}


def meant_by(address):
    """`ana@gmial.com` → `ana@gmail.com`; "" for an address with nothing odd about it."""
    local, _at, domain = address.rpartition("@")
    end = domain[-4:]
    right = domain[:-4] + _NO_ENDS.get(end, end)
    right = _MEANT.get(right, right)
    return f"{local}@{right}" if right != domain else ""


class AsksAboutMisspelled:
    """For a form with an `email`: one that looks misspelled comes back once with a question. The same sent again is taken as it is.

    The template says what was asked about, in a hidden field: `<input type="hidden" name="sure" value="{{ form.asked_about }}">`.
    """

    asked_about = ""

    def clean_email(self):
        typed = self.cleaned_data["email"]
        address = parse_address(typed) if typed else ""
        if meant := meant_by(address):
            self.asked_about = address
            if self.data.get("sure") != address:
                raise ValidationError(
                    _("Did you mean %(address)s? If what you typed is right, press the button once more.") % {"address": meant},
                    code="misspelled",
                )
        return address
