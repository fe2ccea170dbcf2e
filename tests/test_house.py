"""House rules a machine can see: what may lie in this repository, and what no file of it may say."""

import ast
import importlib.metadata
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

TOP_LEVEL = {
    *("run", "manage.py", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", ".ci", ".gitignore", ".gitattributes"),
    *("requirements", "docs", "project", "seminars", "newsletter", "templates", "tests", "locale"),
}


def tracked():
    """Every file git keeps, or would keep once it is added."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]


def texts():
    for file in tracked():
        try:
            yield file.relative_to(ROOT), file.read_text()
        except UnicodeDecodeError:  # a picture, a PDF
            continue


def templates(*, letters=False):
    for file in (ROOT / "templates").rglob("*.html"):
        if letters or "mail" not in file.relative_to(ROOT / "templates").parts:
            yield file.relative_to(ROOT), file.read_text()


def without_comments(text):
    return re.sub(r"{#.*?#}|{% comment.*?endcomment %}|<!--.*?-->", "", text, flags=re.S)


def matches(pattern, files):
    return {(str(name), found.group(0).strip()) for name, text in files for found in re.finditer(pattern, text)}


def test_nothing_new_at_the_top():
    assert {file.relative_to(ROOT).parts[0] for file in tracked()} <= TOP_LEVEL


def test_no_file_names_a_package_index_or_a_folder_of_one_machine():
    # Built from pieces, so that this file does not say it either.
    indexes = [f"{name}.{host}" for name, host in (("pypi", "org"), ("files", "pythonhosted"), ("registry", "npmjs"), ("registry", "yarnpkg"))]
    folders = ["/" + "root/", "/" + "home/", "/" + "Users/", "/" + "work/"]
    pattern = "|".join(re.escape(word) for word in indexes) + "|" + "|".join(rf"(?<![\w.\-/}}>:]){re.escape(word)}" for word in folders)

    assert matches(pattern, texts()) == set()


def test_every_locked_requirement_has_hashes_and_no_address():
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text()
        assert "://" not in text, lock.name
        entries = [entry for entry in re.split(r"\n(?=[\w-])", re.sub(r"^\s*#.*\n", "", text, flags=re.M)) if entry.strip()]
        assert entries, lock.name
        assert [entry for entry in entries if "--hash=sha256:" not in entry] == [], lock.name


def test_pages_carry_no_inline_style_script_or_handler():
    pages = [(name, without_comments(text)) for name, text in templates()]

    assert matches(r"\sstyle\s*=", pages) == set()
    assert matches(r"<style\b", pages) == set()
    # A script element holds data (JSON-LD) or names a file of ours; it never holds a program.
    assert matches(r"<script\b(?![^>]*(?:\ssrc=\"{% (?:static|url) |type=\"application/ld\+json\"))[^>]*>", pages) == set()
    assert matches(r"<[a-z][^>]*\son[a-z]+\s*=", pages) == set()
    assert matches(r"javascript:", pages) == set()


def test_no_page_or_letter_asks_a_third_party():
    loaded = r"(?:<link\b[^>]*\shref|\ssrc|\ssrcset|@import|url\()\s*=?\s*[\"'(]?\s*(?:https?:)?//[^\"'\s>]+"
    css = [(file.relative_to(ROOT), file.read_text()) for file in (ROOT / "project" / "static").rglob("*.css")]

    assert matches(loaded, [*templates(letters=True), *css]) == set()


def test_every_sentence_of_a_template_is_translated():
    """Two words in a row outside tags, `{% blocktranslate %}` and variables are a sentence somebody forgot."""
    forgotten = set()
    for name, text in templates(letters=True):
        text = without_comments(text)
        text = re.sub(r"{%\s*blocktranslate.*?endblocktranslate\s*%}", "", text, flags=re.S)
        text = re.sub(r"<(style|script)\b.*?</\1>", "", text, flags=re.S)
        text = re.sub(r"{%.*?%}|{{.*?}}", "", text, flags=re.S)
        words = re.sub(r"<[^>]*>", "\n", text)
        forgotten |= {(str(name), line.strip()) for line in words.splitlines() if re.search(r"[^\W\d_]{2,}[ ,]+[^\W\d_]{2,}", line)}

    assert forgotten == set()


def test_every_attribute_a_person_reads_is_translated():
    pattern = r"\s(?:alt|title|placeholder|aria-label)=\"[^\"{]*[^\W\d_]{2}[^\"{]*\""

    assert matches(pattern, [(name, without_comments(text)) for name, text in templates(letters=True)]) == set()


@pytest.mark.parametrize("name", ["utils.py", "helpers.py", "services.py", "misc.py", "common.py"])
def test_modules_are_named_by_their_subject(name):
    allowed = {"tests/services.py"}  # the real services of the second pass

    assert {str(file.relative_to(ROOT)) for file in tracked() if file.name == name} <= allowed


def test_nothing_is_left_for_later():
    words = "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK", "NotImplemented" + "Error"])

    assert matches(rf"\b(?:{words})\b", ((name, text) for name, text in texts() if name.suffix in {".py", ".html", ".css", ".md", ""})) == set()


def test_no_test_is_skipped_for_good():
    for file in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"skip", "xfail"}, f"{file.name}:{node.lineno}"


#: What another program loads by itself: the word by which we ask for it.
LOADED_BY_OTHERS = {"argon2-cffi": "Argon2PasswordHasher", "pytest-django": "django_db", "pytest-xdist": "loadgroup"}


def test_every_declared_dependency_is_used():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    modules = {name: {word} for name, word in LOADED_BY_OTHERS.items()}
    for module, distributions in importlib.metadata.packages_distributions().items():
        for distribution in distributions:
            modules.setdefault(distribution.lower(), set()).add(module)
    words = {
        word for name, text in texts() if name.suffix in {".py", ""} and name.name != Path(__file__).name for word in re.findall(r"\w+", text)
    }

    assert {name for line in lines if not modules.get(name := re.match(r"[\w.-]+", line).group().lower(), set()) & words} == set()
