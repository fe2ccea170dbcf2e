"""How letters look in HTML: the pages' hand (project/static/lectern.css) in the inline styles mail programs understand."""

import re

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import mark_safe

from project.practice.zones import unbroken

register = template.Library()

_PHONE = re.compile(r"\(\d{3}\) \d{3}-\d{4}")

INK, SOFT, LINK, PAPER, LINEN, LINE, HONEY = "#14343b", "#45606a", "#1b5a66", "#ffffff", "#f6f3ee", "#ddd6cb", "#d98a1c"
SANS = "Seravek, 'Gill Sans Nova', Ubuntu, Calibri, 'Segoe UI', Helvetica, Arial, sans-serif"
SERIF = "'Iowan Old Style', 'Palatino Linotype', Palatino, Georgia, serif"

STYLES = {
    "body": f"margin:0; padding:0; background-color:{LINEN}; color:{INK}; -webkit-text-size-adjust:100%;",
    # Not by tiny letters as well, as one often sees: spam filters count those against a letter.
    "preheader": "display:none; max-height:0; max-width:0; overflow:hidden; opacity:0; mso-hide:all;",
    "around": f"background-color:{LINEN};",
    "sheet": f"max-width:600px; background-color:{PAPER}; border-top:6px solid {INK};",
    "head": f"padding:26px 32px 0 32px; font-family:{SERIF}; font-size:19px; line-height:25px; font-weight:bold; color:{INK};",
    "rule": f"line-height:10px; mso-line-height-rule:exactly; border-bottom:3px solid {HONEY};",
    "words": f"padding:22px 32px 30px 32px; font-family:{SANS}; font-size:18px; line-height:28px; color:{INK};",
    "heading": f"margin:0 0 14px 0; font-family:{SERIF}; font-size:27px; line-height:34px; font-weight:bold; color:{INK};",
    "paragraph": f"margin:0 0 18px 0; font-size:18px; line-height:28px; color:{INK};",
    "facts": f"width:100%; margin:0 0 22px 0; background-color:{LINEN}; border-left:4px solid {HONEY};",
    "fact": f"padding:9px 18px; font-family:{SANS}; font-size:18px; line-height:26px; color:{INK};",
    "label": f"font-size:15px; line-height:22px; color:{SOFT};",
    "press": "margin:4px 0 24px 0;",
    # Outlook gives links no padding, so there the cell has it; elsewhere the link, all of which can be pressed.
    "pressed": f"background-color:{INK}; border-radius:6px; mso-padding-alt:13px 26px;",
    "button": f"display:inline-block; padding:13px 26px; mso-padding-alt:0; border:1px solid {INK}; border-radius:6px; background-color:{INK};"
    f" font-family:{SANS}; font-size:18px; line-height:24px; font-weight:bold; color:#ffffff; text-decoration:none;",
    "phone": f"color:{LINK}; text-decoration:underline; white-space:nowrap;",
    "links": f"margin:0 0 20px 0; font-size:17px; line-height:32px; color:{INK};",
    "link": f"color:{LINK}; text-decoration:underline;",
    "small": f"margin:0 0 14px 0; font-size:15px; line-height:23px; color:{SOFT};",
    "foot": f"padding:18px 32px 26px 32px; border-top:1px solid {LINE}; font-family:{SANS}; font-size:15px; line-height:23px; color:{SOFT};",
}


@register.simple_tag
def style(name):
    """`style="…"` for one part of a letter."""
    return mark_safe(f'style="{STYLES[name]}"')


@register.filter
def breaks(text):
    """Escaped text whose line ends are `<br>`, and whose telephone numbers stay on one line."""
    broken = "<br>".join(conditional_escape(line) for line in unbroken(str(text)).splitlines())
    return mark_safe(_PHONE.sub(r'<span style="white-space:nowrap;">\g<0></span>', broken))


@register.filter
def lines(text):
    """A person's or our own text as plain lines: nothing at their ends, one empty line at most between."""
    tidy = "\n".join(line.rstrip() for line in str(text).strip().splitlines())
    return mark_safe(re.sub(r"\n{3,}", "\n\n", tidy))


@register.filter
def indented(text):
    """Lines after the first moved in by two, so that a fact of several lines reads as one."""
    return mark_safe(lines(text).replace("\n", "\n  "))
