"""OnePageCRM as the sandbox serves it; `service` makes it of a world."""

from crmlab.sandbox.services.onepagecrm.api import service

__all__ = ["service"]
