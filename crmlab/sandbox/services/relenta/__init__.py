"""Relenta as the sandbox serves it; `service` makes it of a world."""

from crmlab.sandbox.services.relenta.api import service

__all__ = ["service"]
