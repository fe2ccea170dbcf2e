"""Sets a sample info packet as a PDF: a cover, headings, lists, boxes to tick, lines to write on.

The Markdown it reads is a small part of the language: `##` headings, paragraphs, `-`, `1.` and `- [ ]` lists, `>` notes, **bold**; and
`_ Label` for lines to fill in by hand. The PDF is tagged (headings, paragraphs, artifacts), so that a screen reader reads it in order.
"""

import re
from contextlib import contextmanager
from pathlib import Path

from fpdf import FPDF

FONTS = Path(__file__).parent / "fonts"

# Millimetres on Letter paper, and the site's colours.
MARGIN, TOP, BOTTOM = 25, 26, 24
LINE, SIZE = 6.5, 12.5
INK, QUIET, BRAND, DEEP = (20, 52, 59), (69, 96, 106), (27, 90, 102), (20, 52, 59)
LINEN, RULE, EDGE, HONEY, PALE = (246, 243, 238), (221, 214, 203), (108, 128, 135), (217, 138, 28), ((52, 112, 124), (43, 104, 116))

_ITEM = re.compile(r"(- \[ \]|-|\d+\.|_) (.*)")


class Booklet(FPDF):
    """One packet on Letter paper. `footer_text` stands at the foot of every page but the cover."""

    def __init__(self, *, title, language, author, footer_text):
        super().__init__(format="Letter", unit="mm")
        self.footer_text, self.booklet_title = footer_text, title
        self.set_title(title)
        self.set_author(author)
        self.set_lang({"en": "en-US", "es": "es-US"}[language])
        self.set_margins(MARGIN, TOP, MARGIN)
        self.c_margin = 0
        self.set_auto_page_break(False)  # a block moves to the next page as a whole
        self.add_font("body", "", FONTS / "AtkinsonHyperlegibleNext-Regular.ttf")
        self.add_font("body", "B", FONTS / "AtkinsonHyperlegibleNext-Bold.ttf")
        self.add_font("head", "", FONTS / "LecternSerif-SemiBold.ttf")

    @contextmanager
    def tagged(self, kind):
        """What is drawn meanwhile is one structure element (`H1`, `H2`, `P`), in reading order (ISO 32000-1 §14.8)."""
        mcid = self.struct_builder.next_mcid_for_page(self.page)
        _element, parents = self.struct_builder.add_marked_content(page_number=self.page, struct_type=f"/{kind}", mcid=mcid)
        self.pages[self.page].struct_parents = parents
        self._out(f"/{kind} <</MCID {mcid}>> BDC")
        yield
        self._out("EMC")

    @contextmanager
    def artifact(self):
        """What is drawn meanwhile is decoration, which a screen reader passes over."""
        self._out("/Artifact BMC")
        yield
        self._out("EMC")

    def header(self):
        if self.page == 1:
            return
        with self.artifact():
            self.set_font("body", "", 9.5)
            self.set_text_color(*QUIET)
            self.set_xy(MARGIN, 13)
            self.cell(0, 5, self.booklet_title)
            self.set_draw_color(*RULE)
            self.set_line_width(0.3)
            self.line(MARGIN, 19.5, self.w - MARGIN, 19.5)
        self.set_xy(MARGIN, TOP)

    def footer(self):
        if self.page == 1:
            return
        with self.artifact():
            self.set_font("body", "", 9.5)
            self.set_text_color(*QUIET)
            self.set_xy(MARGIN, -16)
            self.cell(0, 5, self.footer_text)
            self.set_xy(MARGIN, -16)
            self.cell(0, 5, str(self.page_no()), align="R")

    def cover(self, *, title, subtitle, practice, tagline, contact):
        """Page one."""
        self.add_page()
        foot = 178
        with self.artifact():
            self.set_fill_color(*BRAND)
            self.rect(0, 0, self.w, foot, style="F")
            self._column(self.w - 43, 18, foot - 16)
            self.set_fill_color(*HONEY)
            self.rect(MARGIN, 62, 18, 1.6, style="F")
        self._cover_line("P", 24, practice, ("body", "B", 13), (255, 255, 255), 7)
        self._cover_line("H1", 72, title, ("head", "", 37), (255, 255, 255), 14.5)
        self._cover_line("P", self.get_y() + 6, subtitle, ("body", "", 17), (226, 236, 238), 8.5)
        self._cover_line("P", foot + 16, tagline, ("head", "", 16), DEEP, 7.5, width=128)
        self._cover_line("P", self.get_y() + 6, contact, ("body", "", 12), QUIET, 6.2)

    def _cover_line(self, kind, y, text, font, colour, line, width=116):
        self.set_xy(MARGIN, y)
        self.set_font(*font)
        self.set_text_color(*colour)
        with self.tagged(kind):
            self.multi_cell(width, line, text, align="L", new_x="LMARGIN", new_y="NEXT")

    def _column(self, x, top, bottom):
        """Stacked, slightly turned blocks along a gentle curve: a column, without drawing anybody's bones."""
        count = 13
        step = (bottom - top) / count
        for n in range(count):
            sway = 9 * (1 - (2 * n / (count - 1) - 1) ** 2) - (6 if n > count * 0.62 else 0) * (n / count - 0.62) * 4
            width = 20 + n * 0.95
            self.set_fill_color(*PALE[n % 2])
            with self.rotation((n - count / 2) * -2.1, x - sway, top + n * step):
                self.rect(
                    x - sway - width / 2, top + n * step - step * 0.36, width, step * 0.72, style="F", round_corners=True, corner_radius=2.6
                )

    def room(self, height):
        """Begin a new page unless `height` millimetres still fit on this one."""
        if self.get_y() + height > self.h - BOTTOM:
            self.add_page()

    def height_of(self, text, width, line=LINE):
        return self.multi_cell(width, line, text, markdown=True, align="L", dry_run=True, output="HEIGHT")

    def text_font(self, style="", size=SIZE, colour=INK):
        self.set_font("body", style, size)
        self.set_text_color(*colour)

    def write_block(self, text, *, x=MARGIN, width=None, line=LINE):
        self.set_x(x)
        with self.tagged("P"):
            self.multi_cell(width or self.epw, line, text, markdown=True, align="L", new_x="LMARGIN", new_y="NEXT")

    def heading(self, text, keep=46):
        self.room(keep)  # never alone at the foot of a page
        if self.get_y() > TOP + 1:
            self.ln(5.5)
        self.start_section(text)
        self.set_font("head", "", 19)
        self.set_text_color(*DEEP)
        with self.tagged("H2"):
            self.multi_cell(0, 8.2, text, align="L", new_x="LMARGIN", new_y="NEXT")
        self.ln(2)

    def paragraph(self, text):
        self.text_font()
        self.room(self.height_of(text, self.epw))
        self.write_block(text)
        self.ln(2.6)

    def note(self, text):
        self.text_font(colour=DEEP)
        height = self.height_of(text, self.epw - 16) + 9
        self.room(height + 2)
        top = self.get_y() + 1
        with self.artifact():
            self.set_fill_color(*LINEN)
            self.rect(MARGIN, top, self.epw, height, style="F")
            self.set_fill_color(*HONEY)
            self.rect(MARGIN, top, 1.6, height, style="F")
        self.set_y(top + 4.5)
        self.write_block(text, x=MARGIN + 9, width=self.epw - 16)
        self.set_y(top + height + 4)

    def item(self, mark, text):
        indent = 8.5
        self.text_font()
        self.room(self.height_of(text, self.epw - indent) + 1)
        y = self.get_y()
        with self.artifact():
            self._mark(mark, y)
        self.text_font()
        self.set_y(y)
        self.write_block(text, x=MARGIN + indent, width=self.epw - indent)
        self.ln(1.7 if mark != "- [ ]" else 2.6)

    def _mark(self, mark, y):
        if mark == "-":
            self.set_fill_color(*BRAND)
            self.ellipse(MARGIN + 2.2, y + LINE / 2 - 0.9, 1.8, 1.8, style="F")
        elif mark == "- [ ]":
            self.set_draw_color(*BRAND)
            self.set_line_width(0.4)
            self.rect(MARGIN + 1, y + LINE / 2 - 2.1, 4.2, 4.2)
        else:
            self.text_font("B", colour=BRAND)
            self.set_x(MARGIN)
            self.cell(6, LINE, mark, align="L")

    def blank(self, label):
        """A label and two lines to write on."""
        self.text_font("B", 11.5, DEEP)
        self.room(24)
        self.write_block(label)
        with self.artifact():
            self.set_draw_color(*EDGE)
            self.set_line_width(0.25)
            for n in (1, 2):
                y = self.get_y() + n * 7.2
                self.line(MARGIN, y, self.w - MARGIN, y)
        self.ln(18.5)

    def flow(self, markdown):
        """The body, block by block."""
        blocks = re.split(r"\n{2,}", markdown.strip())
        last = max(n for n, block in enumerate(blocks) if block.startswith("## "))
        for n, block in enumerate(blocks):
            if block.startswith("## "):
                self.heading(block[3:], keep=self._ending(blocks[n + 1]) if n == last else 46)
            elif block.startswith("> "):
                self.note(block[2:])
            elif _ITEM.match(block):
                self._list(block.splitlines())
            else:
                self.paragraph(block)

    def _ending(self, paragraph):
        """The height of the last section and of the box that ends it: they stand together."""
        self.text_font()
        return self.height_of(paragraph, self.epw) + 48

    def _list(self, lines):
        for mark, text in (_ITEM.match(line).groups() for line in lines):
            if mark == "_":
                self.blank(text)
            else:
                self.item(mark, text)
        self.ln(1.5)

    def contact(self, lines):
        """The last box: how to reach the practice."""
        self.text_font("B", colour=(255, 255, 255))
        height = len(lines) * 6.5 + 9
        self.room(height)
        top = self.get_y() + 2
        with self.artifact():
            self.set_fill_color(*BRAND)
            self.rect(MARGIN, top, self.epw, height, style="F", round_corners=True, corner_radius=2)
        self.set_y(top + 4.5)
        for n, line in enumerate(lines):
            self.text_font("B" if n == 0 else "", colour=(255, 255, 255))
            self.write_block(line, x=MARGIN + 8, width=self.epw - 16)


def make(head, body, *, language, practice, tagline, contact, phone):
    """The PDF's bytes. `head` needs `title` and `subtitle`; `contact` is a list of lines; `practice` its name."""
    booklet = Booklet(title=head["title"], language=language, author=practice, footer_text=f"{practice}  ·  {phone}")
    booklet.set_subject(head["subtitle"])
    booklet.cover(title=head["title"], subtitle=head["subtitle"], practice=practice, tagline=tagline, contact="\n".join(contact))
    booklet.add_page()
    booklet.flow(body)
    booklet.contact([practice, *contact])
    return bytes(booklet.output())
