"""The registry: every module here with a ``PROVIDER``, and those that other packages register.

A third party adds an API with the entry-point group ``crmlab.providers``; its name must be new.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType

from crmlab.connector import Provider
from crmlab.errors import UsageError


@cache
def registry() -> Mapping[str, Provider]:
    """Return every known provider by name, in alphabetical order."""
    found = [
        importlib.import_module(f"{__name__}.{module.name}").PROVIDER
        for module in pkgutil.iter_modules(__path__)
        if not module.name.startswith("_")
    ]
    found += [point.load() for point in entry_points(group="crmlab.providers")]
    return MappingProxyType({provider.name: provider for provider in sorted(found, key=lambda p: p.name)})


def provider(name: str) -> Provider:
    """Return the provider of that name.

    Raises
    ------
    UsageError
        there is none; names the known ones and the nearest
    """
    known = registry()
    if name in known:
        return known[name]
    raise UsageError(unknown("provider", name, known))


def assumptions(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return what no vendor documents and these providers assume, by title; unknown names say nothing."""
    found = [registry()[name] for name in sorted(set(names)) if name in registry()]
    return {provider.title: provider.assumptions for provider in found if provider.assumptions}


def unknown(kind: str, name: str, known: Mapping[str, object] | list[str]) -> str:
    """Return the sentence for a name that is not known."""
    near = difflib.get_close_matches(str(name).lower(), list(known), n=1, cutoff=0.5)
    question = f"; did you mean {near[0]!r}?" if near else "."
    return f"unknown {kind} {name!r}{question} Known: {', '.join(known)}"
