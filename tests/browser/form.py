"""The login form as a person uses it."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from crmlab.sandbox.server import Sandbox

#: the first cell of a notebook that asks for keys
CELL = 'import crmlab\nform = crmlab.login("local_onepagecrm", "local_complero")\nform'
ONEPAGECRM, COMPLERO = "OnePageCRM", "Complero"


class Form:
    """The form that a cell shows."""

    def __init__(self, cell: Locator, services: Sandbox) -> None:
        self.shown = cell.locator(".crmlab-login")
        self.accounts = self.shown.locator("li")
        self._key = services.keys["onepagecrm"]

    def section(self, title: str) -> Locator:
        """Return the section of one service."""
        return self.shown.locator("details").filter(has_text=title)

    @property
    def key(self) -> Locator:
        """The field for OnePageCRM's key."""
        return self.section(ONEPAGECRM).get_by_label("API key", exact=True)

    @property
    def name(self) -> Locator:
        """The field for the name of a OnePageCRM account."""
        return self.section(ONEPAGECRM).get_by_label("Account name")

    @property
    def status(self) -> Locator:
        """What OnePageCRM's section says."""
        return self.section(ONEPAGECRM).get_by_role("status", include_hidden=True)

    def fill(self, *, key: str = "", name: str = "") -> None:
        """Fill OnePageCRM's section in, with the right key if none is given."""
        self.section(ONEPAGECRM).get_by_label("User ID").fill(self._key["user_id"])
        self.key.fill(key or self._key["api_key"])
        self.name.fill(name)

    def connect(self) -> None:
        """Press Connect."""
        self.section(ONEPAGECRM).get_by_role("button", name="Connect").click()

    def use_environment(self) -> None:
        """Take Complero's key from the environment."""
        self.section(COMPLERO).get_by_role("button", name="Use").click()
        expect(self.accounts.filter(has_text=COMPLERO)).to_have_count(1)
