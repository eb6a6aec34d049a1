"""Pages that come out of the code: none of them is kept, and none can be out of date."""

from __future__ import annotations

import shutil
from pathlib import Path

from docs.pages import coverage, fields, notebooks, providers, questions, reference, tables

#: folders that hold nothing else
FOLDERS = ("fields", "notebooks", "providers", "questions", "reference", "tables")


def write(folder: Path) -> None:
    """Write them all below the folder, and remove those of before."""
    for name in FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
    for kind in (coverage, fields, notebooks, providers, questions, reference, tables):
        for path, text in kind.pages().items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
