"""How-to pages: each question of the catalogue with its picture, its code and its formula."""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import Any

from crmlab import analysis, plots
from crmlab.catalogue import GIVEN, SECTIONS, Entry, variables_of
from crmlab.schema.tables import TABLES
from docs.pages.markdown import code

#: what only the user knows, and the past
_CHOSEN = {
    "time_zone": 'time_zone = "Europe/Berlin"',
    "quota": 'quota = {currency: 200_000.0 for currency in deals["currency"].unique().drop_nulls()}',
    "before": """
# your own, of an earlier fetch: earlier = crmlab.open("2026-01-01", lazy=False)
async with crmlab.sandbox(rows=400, days_ago=90) as past:
    fetched = await crmlab.fetch(past, "deals")
earlier = crmlab.collect(deals=fetched.deals, as_of=past.world.now)
before = earlier.deals""",
    "history": f"history = {GIVEN['history']}",
}
#: what a fetch with `since` or `until` does for a question
_PERIOD = {
    "everything": "It needs a fetch without `since` and `until`, and refuses others.",
    "period": "It also accepts a fetch with `since` or `until`, and then the answer names the period.",
}


def pages() -> dict[str, str]:
    """Return each page by its path."""
    return {"questions/index.md": _index()} | {
        f"questions/{_file(title)}.md": _page(title, entries) for title, entries in SECTIONS.items()
    }


def _file(title: str) -> str:
    return title.lower().replace(" ", "-")


def _index() -> str:
    lists = "\n\n".join(
        f"**[{title}]({_file(title)}.md)**\n\n"
        + "\n".join(f"- [{entry.question}](#question-{entry.name})" for entry in entries)
        for title, entries in SECTIONS.items()
    )
    toctree = "\n".join(_file(title) for title in SECTIONS)
    return f"""# Questions

Each question comes with the code that answers it, once as a figure and once as the frame behind the figure. The
pictures show the sandbox, so the people, companies and amounts in them are invented.

{lists}

```{{toctree}}
:hidden:

{toctree}
```
"""


def _page(title: str, entries: tuple[Entry, ...]) -> str:
    questions = "\n".join(_question(entry) for entry in entries)
    return f"""# {title}

Run this first. The code below continues from here. With your own accounts, only the first lines change (see the
[tutorial](../tutorial.md#your-own-accounts)).

```python
{_given(entries)}
```

{questions}"""


def _given(entries: tuple[Entry, ...]) -> str:
    """Return the code that makes everything that the entries read."""
    read = _read(entries)
    tables = [name for name in TABLES if name in read]
    asked = ", ".join(f'"{name}"' for name in tables)
    lines = [
        "accounts = await crmlab.sandbox(rows=400)  # your own: crmlab.login()",
        f"data = await crmlab.fetch(accounts, {asked})",
        *(f"{name} = data.{name}" for name in tables),
        *(
            f"{name} = {made}"
            for name, made in GIVEN.items()
            if name in read and name not in _CHOSEN
        ),
        *(made for name, made in _CHOSEN.items() if name in read),
    ]
    body = _wrapped("\n".join(lines).replace("\n\n", "\n"))
    whole = "\n".join(
        [body, *(text for entry in entries for text in (entry.figure, entry.numbers))]
    )
    modules = {"dt": "import datetime as dt\n", "pl": "import polars as pl\n"}
    imports = [line for name, line in modules.items() if re.search(rf"\b{name}\.", whole)]
    return "\n".join([*imports, "import crmlab\nfrom crmlab import analysis, plots\n", body])


def _read(entries: tuple[Entry, ...]) -> set[str]:
    """Return the names that the entries read, also those that these are made of."""
    found: set[str] = set()
    left = [
        name
        for entry in entries
        for text in (entry.figure, entry.numbers)
        for name in variables_of(text)
    ]
    while left:
        if (name := left.pop()) not in found:
            found.add(name)
            left += variables_of(GIVEN[name]) if name in GIVEN else []
    return found | ({"as_of"} if "before" in found else set())  # the past is counted from now


def _wrapped(text: str) -> str:
    """Break the long line of tables that are fetched."""
    fetched = re.search(r"^(data = await crmlab\.fetch\()(.{75,})\)$", text, re.MULTILINE)
    if fetched:
        inside = textwrap.fill(fetched[2], 92, initial_indent=" " * 4, subsequent_indent=" " * 4)
        text = text.replace(fetched[0], f"{fetched[1]}\n{inside},\n)")
    return text


def _question(entry: Entry) -> str:
    numbers = getattr(analysis, entry.name)
    figure = getattr(plots, entry.name)
    return f"""(question-{entry.name})=
## {entry.question}

![{entry.question}](../figures/{entry.name}.png)

```python
{_broken(entry.figure)}
```

In the picture:

```{{eval-rst}}
{_section(figure, "Returns").removeprefix("go.Figure").strip()}
```

The numbers, by {{py:func}}`crmlab.analysis.{entry.name}`:

```python
{_broken(entry.numbers)}
```

```{{eval-rst}}
{_body(numbers)}
```

{_needs(entry, numbers)}
"""


def _needs(entry: Entry, numbers: Any) -> str:
    tables = [f"[{name}](../tables/{name}.md)" for name in entry.tables]
    adds = [f"[{name}](../tables/{name}.md)" for name in entry.adds]
    more = f", and {', '.join(adds)} for further details" if adds else ""
    reads = "".join(f"\n- {code(name)}: {columns}" for name, columns in _columns(numbers).items())
    period = _PERIOD[entry.needs]
    return f"This question needs {', '.join(tables)}{more}. {period}{' Columns read:' if reads else ''}\n{reads}"


def _columns(function: Any) -> dict[str, str]:
    """Return what the docstring says is read of each parameter."""
    found = re.findall(
        r"^(\w+)\n +Reads ((?:[^.]|\.(?=\w))+)\.", _section(function, "Parameters"), re.MULTILINE
    )
    return {name: " ".join(text.split()) for name, text in found}


def _body(function: Any) -> str:
    """Return what a docstring says before its sections."""
    said = (
        re.split(r"\n\w+\n-{3,}\n", inspect.getdoc(function) or "")[0]
        .strip()
        .removeprefix("Return ")
    )
    return said[0].upper() + said[1:]


def _section(function: Any, title: str) -> str:
    """Return one section of a docstring."""
    parts = re.split(r"\n(\w+)\n-{3,}\n", inspect.getdoc(function) or "")
    found = dict(zip(parts[1::2], parts[2::2], strict=True)).get(title, "")
    return inspect.cleandoc(found).strip()


def _broken(call: str) -> str:
    """Return a call with its arguments on a line of their own where it is long."""
    if len(call) <= 88:
        return call
    name, _, arguments = call.partition("(")
    return f"{name}(\n    {arguments[:-1]}\n)"
