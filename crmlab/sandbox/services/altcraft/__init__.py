"""Altcraft as the sandbox serves it; `service` makes it of a world."""

from crmlab.sandbox.services.altcraft.api import service

__all__ = ["service"]
