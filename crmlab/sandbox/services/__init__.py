"""The services that the sandbox serves: each folder (or module) here, by the name of its provider.

What it has to offer is ``service(world)``, which returns a `crmlab.sandbox.service.Service`.
"""

from __future__ import annotations

import importlib
import pkgutil

from crmlab.errors import UsageError
from crmlab.providers import unknown
from crmlab.sandbox.service import Service
from crmlab.sandbox.world.model import World

__all__ = ["names", "service"]


def names() -> list[str]:
    """Return the names of all services, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def service(name: str, world: World) -> Service:
    """Return the service of that name, filled from the world.

    Raises
    ------
    UsageError
        there is none; names the known ones and the nearest
    """
    known_names = names()
    if name not in known_names:
        raise UsageError(unknown("service", name, known_names))
    module = importlib.import_module(f"{__name__}.{name}")
    made_service: Service = module.service(world)
    return made_service
