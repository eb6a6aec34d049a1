"""The rooms of the package: what each is for, and which others it imports from."""

from __future__ import annotations

import ast
import configparser
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "crmlab"


class Import(NamedTuple):
    """A module of one room that imports from another one."""

    module: str
    #: what is imported from, e.g. ``crmlab.connector``
    source: str

    @property
    def room(self) -> str:
        """The room of the module."""
        return self.module.split(".")[1]

    @property
    def other(self) -> str:
        """The room that is imported from."""
        return self.source.split(".")[1]


def layers() -> list[list[str]]:
    """Return the rooms from top to bottom, as .importlinter states them; those of one line do not know each other."""
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter")
    lines = config["importlinter:contract:rooms"]["layers"].split("\n")
    return [re.split(r"\s*\|\s*", line.strip()) for line in lines if line.strip()]


def purpose(room: str) -> str:
    """Return the first sentence of the room's docstring."""
    doc = inspect.getdoc(importlib.import_module(f"crmlab.{room}")) or ""
    first_paragraph = " ".join(doc.partition("\n\n")[0].split())
    return re.split(r"(?<=\.) ", first_paragraph)[0]


def imports() -> list[Import]:
    """Return every import of one room from another, also those within functions and for types only."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if module == "crmlab":
            continue
        each_import = [Import(module, source) for source in _sources(path)]
        found += [each for each in each_import if each.room != each.other]
    return found


def _sources(path: Path) -> Iterator[str]:
    """Yield the modules of this package that a file imports from."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("crmlab."))
        elif isinstance(node, ast.ImportFrom) and node.module == "crmlab":
            yield from (f"crmlab.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("crmlab."):
            yield node.module
