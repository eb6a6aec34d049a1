"""Complero as the sandbox serves it; `service` makes it of a world."""

from crmlab.sandbox.services.complero.api import service

__all__ = ["service"]
