"""What editors and type checkers know of tables and providers: ``make names`` writes crmlab/schema/names.py."""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Iterable
from pathlib import Path

import crmlab
from crmlab import providers
from crmlab.schema.tables import TABLES

WHERE = Path(crmlab.__file__).parent / "schema" / "names.py"
MODULE = '''"""Names for editors and type checkers. Written by docs/names.py: do not edit, ``make names``."""

from typing import Generic, Literal, TypeVar

import polars as pl

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)
TableName = Literal[
{tables}
]
ProviderName = Literal[
{providers}
]


class Tables(Generic[Frame]):
    """The shared tables as attributes; which of them are there, each fetch decides."""

{attributes}
'''


def written() -> str:
    """Return the module, as ruff would format it."""
    return MODULE.format(
        tables=_lines(TABLES),
        providers=_lines(services()),
        attributes="\n".join(
            f'    {name}: Frame\n    """{table.doc}"""' for name, table in TABLES.items()
        ),
    )


def services() -> list[str]:
    """Return the names of the services of this project: those that other packages register are not among them."""
    return [module.name for module in pkgutil.iter_modules(providers.__path__)]


def _lines(names: Iterable[str]) -> str:
    return "\n".join(f"    {json.dumps(name)}," for name in names)


if __name__ == "__main__":
    WHERE.write_text(written(), encoding="utf-8")
