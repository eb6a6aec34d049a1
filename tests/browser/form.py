"""The login form as a person uses it."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from crmlab.sandbox.server import Sandbox

#: the first cell of a notebook that asks for keys
CELL = 'import crmlab\nform = crmlab.login("onepagecrm", "local_complero")\nform'
ONEPAGECRM, COMPLERO = "OnePageCRM", "Local Complero"
#: what a browser makes of Ctrl+V
_PASTE = """(input, text) => {
  const data = new DataTransfer();
  data.setData("text", text);
  input.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


class Section:
    """What the form asks for one service."""

    def __init__(self, form: Locator, title: str) -> None:
        self.shown = form.locator(".section").filter(
            has=form.page.locator("summary", has_text=title)
        )
        self.key = self.shown.get_by_label("API key", exact=True)
        self.name = self.shown.get_by_label("Account name")
        self.address = self.shown.get_by_label("Own address")
        self.remember = self.shown.get_by_label("Remember on this computer")
        self.status = self.shown.get_by_role("status", include_hidden=True)

    def press(self, button: str) -> None:
        """Press the button that is called so."""
        self.shown.get_by_role("button", name=button).click()

    def connect(self) -> None:
        """Press Connect."""
        self.press("Connect")

    def paste(self, text: str) -> None:
        """Paste text into the field for the key."""
        self.key.evaluate(_PASTE, text)


class Form:
    """The form that a cell shows."""

    def __init__(self, cell: Locator, services: Sandbox) -> None:
        self.shown = cell.locator(".crmlab-login")
        self.accounts = self.shown.locator("li")
        self.lost = self.shown.get_by_role("alert")
        self.onepagecrm, self.complero = (
            Section(self.shown, ONEPAGECRM),
            Section(self.shown, COMPLERO),
        )
        self._address = services.account("onepagecrm").base_url
        self._key = services.keys["onepagecrm"]

    def chip(self, title: str) -> Locator:
        """Return what is ticked to choose a service."""
        return self.shown.get_by_role("checkbox", name=title, exact=True)

    def fill(self, *, key: str = "", name: str = "") -> None:
        """Fill OnePageCRM's section in, with the right key if none is given."""
        section = self.onepagecrm
        section.shown.get_by_label("User ID").fill(self._key["user_id"])
        section.key.fill(key or self._key["api_key"])
        section.name.fill(name)
        if not section.address.is_visible():
            section.shown.locator("summary", has_text="Own address").click()
        section.address.fill(self._address)

    def connect(self) -> None:
        """Press Connect in OnePageCRM's section."""
        self.onepagecrm.connect()

    def use_environment(self) -> None:
        """Take Complero's key from the environment."""
        self.complero.press("Use")
        expect(self.accounts.filter(has_text=COMPLERO)).to_have_count(1)
