"""Commanders Act as the sandbox serves it; `service` makes it of a world."""

from crmlab.sandbox.services.commanders_act.api import service

__all__ = ["service"]
