"""The registry: every module here with a ``PROVIDER``, and those that other packages register.

A third party adds an API with the entry-point group ``crmlab.providers``; its name must be new, and so must be the
variables in which its keys are looked for. One that takes those of a service already known would be given that
service's keys, so it is left out with a warning.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import warnings
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points
from types import MappingProxyType

from crmlab.connector import Provider
from crmlab.errors import UsageError

_GROUP = "crmlab.providers"
#: so many names are shown of those that are known
_MAX_NAMED = 40


@cache
def registry() -> Mapping[str, Provider]:
    """Return every known provider by name, in alphabetical order.

    A provider of another package that cannot be loaded, or whose name is taken, is left out, and a
    `UserWarning` says which and why.
    """
    known = {name: _built_in(name) for name in _built_in_names()}
    for point in _registered():
        further = _loaded(point)
        if further is None:
            continue
        if further.name in known:
            _warn(point, f"its provider is called {further.name!r}, a name that is taken")
            continue
        if taken := _taken_variables(further, known.values()):
            _warn(
                point,
                f"it would be given what {', '.join(taken)} holds, which is another service's",
            )
            continue
        known[further.name] = further
    return MappingProxyType(dict(sorted(known.items())))


def _taken_variables(further: Provider, known: Iterable[Provider]) -> list[str]:
    """Return where both would look for their keys: "Complero" and "complero" have other names and one variable."""
    taken = {variable for each in known for variable in _variables(each)}
    return sorted(_variables(further) & taken)


def _variables(each: Provider) -> set[str]:
    return {f"CRMLAB_{each.name}_{field.name}".upper() for field in each.fields}


def _registered() -> list[EntryPoint]:
    """Return what other packages register; one whose list cannot be read is named in a warning."""
    try:
        return list(entry_points(group=_GROUP))
    except Exception:  # noqa: BLE001  # one unreadable list fails the search of all: look at each by itself
        found = (_points(package) for package in distributions())
    return list(dict.fromkeys(point for points in found for point in points))


def _points(package: Distribution) -> list[EntryPoint]:
    try:
        return list(package.entry_points.select(group=_GROUP))
    except Exception as error:  # noqa: BLE001  # see above
        warnings.warn(
            f"The providers of {package.name} are left out: {_told(error)}.", stacklevel=4
        )
        return []


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


@cache
def _built_in_names() -> tuple[str, ...]:
    """Return the names of this package's own providers, which their modules have."""
    return tuple(
        module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")
    )


@cache
def _built_in(name: str) -> Provider:
    found: Provider = importlib.import_module(f"{__name__}.{name}").PROVIDER
    return found


def _loaded(point: EntryPoint) -> Provider | None:
    try:
        found = point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a package of somebody else may do so as it is imported
        _warn(point, f"importing it raised {_told(error)}")
        return None
    if not isinstance(found, Provider):
        _warn(point, f"{point.value} is no crmlab.connector.Provider")
        return None
    return found


def _warn(point: EntryPoint, reason: str) -> None:
    package = point.dist.name if point.dist else "a package"
    warnings.warn(f"The provider {point.name!r} of {package} is left out: {reason}.", stacklevel=3)


def provider(name: str) -> Provider:
    """Return the provider of that name.

    Raises
    ------
    UsageError
        there is none; names the known ones and the nearest
    """
    if name in _built_in_names():
        return _built_in(name)  # the others need not be loaded: no package may take its name
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
    near = difflib.get_close_matches(str(name).lower(), list(known), n=_MAX_NAMED, cutoff=0.5)
    question = f"; did you mean {near[0]!r}?" if near else "."
    if len(known) <= _MAX_NAMED:
        return f"unknown {kind} {name!r}{question} Known: {', '.join(known)}"
    alike = f" Like it: {', '.join(near)}." if near else ""
    return f"unknown {kind} {name!r}{question}{alike} There are {len(known)}"
