"""The reference of the public functions, out of their docstrings."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict

import crmlab
from crmlab import analysis, plots

#: public names in the order in which one comes to need them; those that are not here come last
_ORDER = (
    *("login", "sandbox", "plan", "fetch", "fetch_to", "check", "call", "table", "collect", "read_csv"),
    *("Account", "Plan", "Fetched"),
)
#: modules for those who describe an API of their own
_FOR_PROVIDERS = (
    "connector.provider",
    "connector.resource",
    "connector.operation",
    "connector.limits",
    "connector.request",
    "connector.page",
    "connector.paging",
    "connector.expressions",
    "schema.tables",
    "decoding.strict",
)
_ROW = re.compile(r"^`(?:(\w+)\.)?(\w+)`", re.MULTILINE)


def pages() -> dict[str, str]:
    """Return each page by its path."""
    return {
        "reference/index.md": _index(),
        "reference/crmlab.md": _core(),
        "reference/analysis/index.md": _analysis(),
        **{f"reference/analysis/{name}.md": _module(name, found) for name, found in questions().items()},
        "reference/plots.md": _plots(),
        "reference/describing.md": _describing(),
    }


def questions() -> dict[str, list[str]]:
    """Return the functions that the docstring of `crmlab.analysis` promises, by module."""
    found: dict[str, list[str]] = defaultdict(list)
    for module, function in _ROW.findall(analysis.__doc__ or ""):
        found[module].append(function)
    return found


def _rst(text: str) -> str:
    return f"```{{eval-rst}}\n{text.strip()}\n```\n"


def _toctree(*names: str) -> str:
    lines = "\n".join(names)
    return f"```{{toctree}}\n:hidden:\n\n{lines}\n```\n"


def _index() -> str:
    return f"""# Functions

- [crmlab](crmlab.md): log in, plan, fetch, store, bring data of your own
- [analysis](analysis/index.md): questions answered with frames, each with its formula and where it is from
- [plots](plots.md): the same as figures
- [describing an API](describing.md): what a provider is made of

What is raised: [errors](../errors.md). What the frames hold: [tables](../tables/index.md).

{_toctree("crmlab", "analysis/index", "plots", "describing")}"""


def _core() -> str:
    names = sorted(set(crmlab.__all__) - {"analysis", "plots"})
    names.sort(key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    beside = ("crmlab.results.export.export", "crmlab.results.masking.mask", "crmlab.report.write")
    result = ".. autoclass:: crmlab.results.fetched.Result\n   :members:"
    listed = [
        ".. currentmodule:: crmlab",
        *map(_named, names),
        result,
        *(f".. autofunction:: {each}" for each in beside),
    ]
    return f"# crmlab\n\n{crmlab.__doc__}\n\n" + _rst("\n\n".join(listed))


def _named(name: str) -> str:
    if inspect.isclass(found := getattr(crmlab, name)):
        return f".. autoclass:: {name}\n   :members:\n   :show-inheritance:"
    return f".. auto{'function' if inspect.isroutine(found) else 'data'}:: {name}"


def _analysis() -> str:
    return "# analysis\n\n" + _rst(".. automodule:: crmlab.analysis") + "\n" + _toctree(*questions())


def _module(name: str, functions: list[str]) -> str:
    listed = "\n\n".join(f".. autofunction:: {function}" for function in functions)
    return f"# {name}\n\n" + _rst(f".. automodule:: crmlab.analysis.{name}\n\n{listed}")


def _plots() -> str:
    listed = "\n\n".join(f".. autofunction:: {name}" for _, name in _ROW.findall(plots.__doc__ or ""))
    return "# plots\n\n" + _rst(f".. automodule:: crmlab.plots\n\n{listed}")


def _describing() -> str:
    parts = "\n".join(
        f"## crmlab.{name}\n\n" + _rst(f".. automodule:: crmlab.{name}\n   :members:") for name in _FOR_PROVIDERS
    )
    return f"""# Describing an API

A [sixth API](../contributing.md#a-sixth-api-in-one-file) is made of these.

{parts}"""
