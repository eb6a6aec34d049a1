"""The reference of the public functions, out of their docstrings."""

from __future__ import annotations

import ast
import inspect
from collections import defaultdict
from types import ModuleType

import crmlab
from crmlab import analysis, connector
from crmlab.catalogue import CATALOGUE

#: public names in the order in which one comes to need them; those that are not here come last
_ORDER = (
    *(
        "login",
        "sandbox",
        "plan",
        "fetch",
        "fetch_to",
        "replay",
        "scan",
        "check",
        "probe",
        "call",
        "updates",
        "push",
        "table",
        "collect",
        "open",
        "about",
        "erase",
        "read_csv",
    ),
    *("Account", "Plan", "Fetched", "Dossier", "Probed", "DryRun", "PushPlan", "Pushed"),
)


def pages() -> dict[str, str]:
    """Return each page by its path."""
    return {
        "reference/index.md": _index(),
        "reference/crmlab.md": _core(),
        "reference/analysis/index.md": _analysis(),
        **{
            f"reference/analysis/{name}.md": _module(name, found)
            for name, found in questions().items()
        },
        "reference/plots.md": _plots(),
        "reference/describing.md": _describing(),
    }


def questions() -> dict[str, list[str]]:
    """Return the names of the public analyses by the module that they are written in."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in analysis.__all__:
        module = getattr(analysis, name).__module__.rpartition(".")[2]
        found[module].append(name)
    return dict(sorted(found.items()))


def _rst(text: str) -> str:
    return f"```{{eval-rst}}\n{text.strip()}\n```\n"


def _toctree(*names: str) -> str:
    lines = "\n".join(names)
    return f"```{{toctree}}\n:hidden:\n\n{lines}\n```\n"


def _index() -> str:
    return f"""# Functions

- [crmlab](crmlab.md) has the functions to log in, plan, fetch, store, and add data of your own.
- [analysis](analysis/index.md) answers questions with frames, and gives each formula with its source.
- [plots](plots.md) answers the same questions with figures.
- [Describing an API](describing.md) explains the parts of a provider.

See also [errors](../errors.md) and the columns of the [tables](../tables/index.md).

{_toctree("crmlab", "analysis/index", "plots", "describing")}"""


def _core() -> str:
    names = sorted(set(crmlab.__all__) - {"analysis", "plots"})
    names.sort(key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    beside = (
        "crmlab.results.export.export",
        "crmlab.results.masking.mask",
        "crmlab.report.write",
        "crmlab.report.write_numbers",
    )
    result = ".. autoclass:: crmlab.results.fetched.Result\n   :members:"
    listed = [
        ".. currentmodule:: crmlab",
        *map(_named, names),
        result,
        *(f".. autofunction:: {each}" for each in beside),
    ]
    return f"# crmlab\n\n{crmlab.__doc__}\n\n" + _rst("\n\n".join(listed))


def _named(name: str, home: ModuleType = crmlab) -> str:
    found = getattr(home, name)
    if inspect.isclass(found):
        return f".. autoclass:: {name}\n   :members:\n   :show-inheritance:"
    return f".. auto{'function' if inspect.isroutine(found) else 'data'}:: {name}"


def _analysis() -> str:
    subjects = "\n\n".join(_subject(module, names) for module, names in questions().items())
    return (
        "# analysis\n\n"
        + _rst(".. automodule:: crmlab.analysis")
        + f"\n{subjects}\n\n"
        + _toctree(*questions())
    )


def _subject(module: str, names: list[str]) -> str:
    """Return the functions of one module in a list, each with the first line of its docstring."""
    lines = [f"**[{module}]({module}.md)**\n"]
    for name in names:
        first_line = (inspect.getdoc(getattr(analysis, name)) or "").partition("\n")[0]
        lines.append(
            f"- {{py:func}}`~crmlab.analysis.{name}`: {first_line.removeprefix('Return ')}"
        )
    return "\n".join(lines)


def _module(name: str, functions: list[str]) -> str:
    listed = "\n\n".join(f".. autofunction:: {function}" for function in functions)
    # people call it crmlab.analysis.win_rate, whatever file it is written in
    where = f".. automodule:: crmlab.analysis.{name}\n\n.. currentmodule:: crmlab.analysis"
    return f"# {name}\n\n" + _rst(f"{where}\n\n{listed}")


def _plots() -> str:
    listed = "\n\n".join(f".. autofunction:: {name}" for name in CATALOGUE)
    return "# plots\n\n" + _rst(f".. automodule:: crmlab.plots\n\n{listed}")


def _describing() -> str:
    parts = "\n".join(_from_connector(module, names) for module, names in connector_names().items())
    tables = _rst(".. automodule:: crmlab.schema.tables\n   :members:")
    return f"""# Describing an API

{connector.__doc__}

The [help desk](../contributing.md#add-a-further-api-in-one-file) is an example that uses all of this.

{parts}
## The shared tables

{tables}"""


def connector_names() -> dict[str, list[str]]:
    """Return what can be imported from `crmlab.connector`, by the module of that room that defines it."""
    names: dict[str, list[str]] = {}
    # in the block for type checkers too: those are loaded when they are asked for
    for node in ast.walk(ast.parse(inspect.getsource(connector))):
        if (
            isinstance(node, ast.ImportFrom)
            and node.module
            and node.module.startswith("crmlab.connector.")
        ):
            names[node.module] = [alias.name for alias in node.names]
    return names


def _from_connector(module: str, names: list[str]) -> str:
    listed = "\n\n".join(_named(name, connector) for name in names)
    part = module.rpartition(".")[2].replace("_", " ")
    # a constant is documented where it stands, so that Sphinx has to look there
    return f"## {part}\n\n" + _rst(
        f".. automodule:: {module}\n\n.. currentmodule:: {module}\n\n{listed}"
    )
