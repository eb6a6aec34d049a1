"""`crmlab.connector` is what a description of a service imports from."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from crmlab import connector
from docs.pages import reference

ROOT = Path(connector.__file__).parents[2]
AUTHORS = [
    *sorted((ROOT / "crmlab" / "providers").rglob("*.py")),
    ROOT / "docs" / "examples" / "deskline.py",
]


@pytest.mark.parametrize("name", connector.__all__)
def test_every_name_is_there_and_says_what_it_is(name: str) -> None:
    found = getattr(connector, name)

    if inspect.isclass(found) or inspect.isroutine(found):
        assert inspect.getdoc(found)


def test_every_name_is_in_the_reference() -> None:
    shown = [name for names in reference.connector_names().values() for name in names]

    assert sorted(shown) == sorted(connector.__all__)


@pytest.mark.parametrize("path", AUTHORS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_descriptions_import_from_the_room_and_not_from_its_modules(path: Path) -> None:
    sources = re.findall(
        r"^from (crmlab\.connector\.\w+) import", path.read_text(encoding="utf-8"), re.MULTILINE
    )

    # operations are declared in words of their own
    assert set(sources) <= {"crmlab.connector.operation", "crmlab.connector.arguments"}
