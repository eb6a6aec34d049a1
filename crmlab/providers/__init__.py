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
    providers = {name: _built_in(name) for name in _built_in_names()}
    for entry_point in _registered():
        further = _loaded(entry_point)
        if further is None:
            continue
        if further.name in providers:
            _warn(entry_point, f"its provider is called {further.name!r}, a name that is taken")
            continue
        taken_variables = _taken_variables(further, providers.values())
        if taken_variables:
            _warn(
                entry_point,
                f"it would be given what {', '.join(taken_variables)} holds, which is another service's",
            )
            continue
        providers[further.name] = further
    return MappingProxyType(dict(sorted(providers.items())))


def _taken_variables(further: Provider, known: Iterable[Provider]) -> list[str]:
    """Return where both would look for their keys: "Complero" and "complero" have other names and one variable."""
    taken_names: set[str] = set()
    for known_provider in known:
        taken_names |= _variables(known_provider)
    return sorted(_variables(further) & taken_names)


def _variables(owner: Provider) -> set[str]:
    return {f"CRMLAB_{owner.name}_{field.name}".upper() for field in owner.fields}


def _registered() -> list[EntryPoint]:
    """Return what other packages register; one whose list cannot be read is named in a warning."""
    try:
        return list(entry_points(group=_GROUP))
    except Exception:  # noqa: BLE001  # one unreadable list fails the search of all: look at each by itself
        unique: dict[EntryPoint, None] = {}
        for package in distributions():
            unique |= dict.fromkeys(_points(package))
        return list(unique)


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
    provider_value: Provider = importlib.import_module(f"{__name__}.{name}").PROVIDER
    return provider_value


def _loaded(point: EntryPoint) -> Provider | None:
    try:
        loaded_object = point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a package of somebody else may do so as it is imported
        _warn(point, f"importing it raised {_told(error)}")
        return None
    if not isinstance(loaded_object, Provider):
        _warn(point, f"{point.value} is no crmlab.connector.Provider")
        return None
    return loaded_object


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
    providers = registry()
    if name in providers:
        return providers[name]
    raise UsageError(unknown("provider", name, providers))


def assumptions(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return what no vendor documents and these providers assume, by title; unknown names say nothing."""
    providers = [registry()[name] for name in sorted(set(names)) if name in registry()]
    return {provider.title: provider.assumptions for provider in providers if provider.assumptions}


def unknown(kind: str, name: str, known: Mapping[str, object] | list[str]) -> str:
    """Return the sentence for a name that is not known."""
    nearest = difflib.get_close_matches(str(name).lower(), list(known), n=_MAX_NAMED, cutoff=0.5)
    question = f"; did you mean {nearest[0]!r}?" if nearest else "."
    if len(known) <= _MAX_NAMED:
        return f"unknown {kind} {name!r}{question} Known: {', '.join(known)}"
    likeness = f" Like it: {', '.join(nearest)}." if nearest else ""
    return f"unknown {kind} {name!r}{question}{likeness} There are {len(known)}"
