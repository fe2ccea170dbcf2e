"""Files handed out: lists as CSV that a spreadsheet opens without running anything in them, and PDFs."""

import csv
import re

from csp.decorators import csp_exempt
from django.http import FileResponse, StreamingHttpResponse

# What a spreadsheet takes for the beginning of a formula, full-width forms included; and what no cell may hold at all.
_FORMULA = re.compile(r"^[\s]*[=+\-@\t\r＝＋－＠]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def safe_cell(value):
    """The value as text that no spreadsheet runs (OWASP, “CSV Injection”): a leading apostrophe, and no control characters.

    A phone number such as `+18135550123` gets the apostrophe too; write it in words (`phones.phone_words`) where that matters.
    """
    text = _CONTROLS.sub("", "" if value is None else str(value))
    return f"'{text}" if _FORMULA.match(text) else text


class _Line:
    """A file whose `write` hands the line back, so that csv can feed a streamed answer."""

    def write(self, line):
        return line


def csv_response(filename, header, rows):
    """A streamed `text/csv` attachment: a BOM, so that Excel reads UTF-8, the header, then each row of values, every cell made safe."""
    writer = csv.writer(_Line())

    def lines():
        yield "\ufeff" + writer.writerow([safe_cell(cell) for cell in header])
        for row in rows:
            yield writer.writerow([safe_cell(cell) for cell in row])

    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"', "Cache-Control": "no-store"},
    )


@csp_exempt()  # browsers show a PDF with a page of their own, which our policy for pages would leave blank
def pdf_response(file, filename):
    """An open file, shown in the browser."""
    return FileResponse(file, content_type="application/pdf", filename=filename)
