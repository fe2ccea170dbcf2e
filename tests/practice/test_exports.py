import pytest

from project.practice.exports import csv_response, safe_cell


@pytest.mark.parametrize("value", ["=1+1", "+cmd", "-2", "@SUM(A1)", "\t=1", "\r=1", "＝1", " =1"])
def test_a_formula_is_made_text(value):
    assert safe_cell(value).startswith("'")


@pytest.mark.parametrize(("value", "cell"), [("Ana", "Ana"), (None, ""), (3, "3"), ("a\x0bb\x00c", "abc"), ("", "")])
def test_a_plain_value_stays(value, cell):
    assert safe_cell(value) == cell


def test_a_file_is_utf8_that_excel_reads_and_is_never_cached():
    response = csv_response("people.csv", ["Name"], [["Peña, José"], ["=2"]])

    assert b"".join(response).decode("utf-8") == '\ufeffName\r\n"Peña, José"\r\n\'=2\r\n'
    assert response["Cache-Control"] == "no-store"
    assert response["Content-Disposition"] == 'attachment; filename="people.csv"'
