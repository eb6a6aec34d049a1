"""Print the lowest versions that pyproject.toml allows, as constraints for pip; ``make lowest`` installs them.

Every requirement of the project, of its extras and of its dependency groups has one line. A
requirement without a lower bound ends this with an error: it would promise versions nobody ran.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
#: a name, and its lower bound among the versions allowed: polars>=2.1, ipykernel!=7.4.0,>=6.31
_BOUND = re.compile(r"(?P<name>[A-Za-z0-9._-]+)[^;]*?>=\s*(?P<version>[0-9.]+)")
#: a tool of which one version is used, such as ruff==0.17.*
_PINNED = re.compile(r"[A-Za-z0-9._-]+==")


def requirements(project: dict[str, Any]) -> Iterator[str]:
    """Yield every requirement that pyproject.toml names."""
    yield from project["project"]["dependencies"]
    for extra in project["project"]["optional-dependencies"].values():
        yield from extra
    for group in project["dependency-groups"].values():
        yield from group


def constraints(project: dict[str, Any]) -> list[str]:
    """Return ``name==version`` for each requirement, sorted.

    Raises
    ------
    SystemExit
        A requirement has no lower bound, or two bounds of one package differ.
    """
    lowest: dict[str, str] = {}
    for requirement in requirements(project):
        if _PINNED.match(requirement):
            continue
        bound = _BOUND.match(requirement)
        if bound is None:
            raise SystemExit(f"pyproject.toml: {requirement} has no lower bound")
        name = bound["name"]
        version = bound["version"]
        if lowest.setdefault(name, version) != version:
            raise SystemExit(f"pyproject.toml: {name} has the bounds {lowest[name]} and {version}")
    return sorted(f"{name}=={version}" for name, version in lowest.items())


if __name__ == "__main__":
    print("\n".join(constraints(tomllib.loads(PYPROJECT.read_text(encoding="utf-8")))))
