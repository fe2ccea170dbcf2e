"""Imports point one way (docs/architecture.md): seminars → newsletter → project.mail → project.practice → Django."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

#: Each layer, and what of ours it may import besides itself.
MAY_IMPORT = {
    "project.practice": set(),
    "project.mail": {"project.practice"},
    "newsletter": {"project.mail", "project.practice"},
    "seminars": {"newsletter", "project.mail", "project.practice"},
}
LAYERS = set(MAY_IMPORT)

#: Modules through which the outside comes in. They call the others; nothing calls them.
ENTRANCES = {"admin", "apps", "management", "tasks", "urls", "views"}


def module_name(file):
    parts = list(file.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(file):
    """Absolute names of every module and name that file imports, wherever in it the import stands."""
    here = module_name(file)
    package = here if file.name == "__init__.py" else here.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            base = ".".join(part for part in (base, node.module or "") if part)
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def layer(name):
    """The layer a dotted name belongs to, or None."""
    return next((layer for layer in LAYERS if name == layer or name.startswith(layer + ".")), None)


def sources(layer):
    return [file for file in ROOT.joinpath(*layer.split(".")).rglob("*.py") if "migrations" not in file.parts]


def inside(name, layer):
    """`newsletter.admin.packets` in newsletter → `admin`."""
    return name.removeprefix(layer + ".").split(".")[0]


@pytest.mark.parametrize("here", sorted(LAYERS))
def test_a_layer_imports_only_what_lies_below(here):
    wrong = {
        (module_name(file), name)
        for file in sources(here)
        for name in imports(file)
        if layer(name) not in {None, here, *MAY_IMPORT[here]} or name.split(".")[0] == "tests"
    }

    assert wrong == set()


def test_seminars_knows_the_newsletters_verbs_and_not_its_tables_or_pages():
    """The sample content apart, which fills tables as nobody else may."""
    hidden = {"models", *ENTRANCES}
    wrong = {
        (module_name(file), name)
        for file in sources("seminars")
        if "demo" not in file.parts and file.name != "seed_demo.py"
        for name in imports(file)
        if layer(name) == "newsletter" and inside(name, "newsletter") in hidden
    }

    assert wrong == set()


@pytest.mark.parametrize("name", ["settings", "urls", "celery", "wsgi", "translations"])
def test_the_site_names_its_apps_by_string(name):
    assert {found for found in imports(ROOT / "project" / f"{name}.py") if layer(found)} == set()


@pytest.mark.parametrize("here", sorted(LAYERS))
def test_nothing_imports_an_entrance_but_another_entrance(here):
    wrong = set()
    for file in sources(here):
        name = module_name(file)
        if name == here or inside(name, here) in ENTRANCES:
            continue
        wrong |= {(name, found) for found in imports(file) if layer(found) == here and inside(found, here) in ENTRANCES}

    assert wrong == set()


@pytest.mark.parametrize("here", sorted(LAYERS))
def test_models_stand_below_every_module_that_uses_them(here):
    def uses_models(module):
        files = [file for file in sources(here) if inside(module_name(file), here) == module]
        return any(layer(name) == here and inside(name, here) == "models" for file in files for name in imports(file))

    wrong = {
        (module_name(file), name)
        for file in sources(here)
        if inside(module_name(file), here) == "models"
        for name in imports(file)
        if layer(name) == here and inside(name, here) != "models" and uses_models(inside(name, here))
    }

    assert wrong == set()


def test_the_reader_of_imports_sees_every_form(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.test_imports.ROOT", tmp_path)
    folder = tmp_path / "newsletter" / "admin"
    folder.mkdir(parents=True)
    (folder / "pages.py").write_text(
        "import a.b\nfrom c import d\nfrom . import e\nfrom ..models import f\ndef late():\n    from .. import g\n"
    )

    assert imports(folder / "pages.py") == {"a.b", "c.d", "newsletter.admin.e", "newsletter.models.f", "newsletter.g"}
