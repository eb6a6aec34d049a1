"""What a fetch and the explorer show, as a person uses them."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Locator

from tests.browser.notebook import drawn


class Explorer:
    """The explorer that a cell shows."""

    def __init__(self, cell: Locator) -> None:
        self.shown = cell.locator(".crmlab-explorer")
        self.question = self.shown.locator(".widget-dropdown select")
        self.figure = drawn(self.shown)
        self.numbers = self.shown.locator("table.dataframe")
        self.code = self.shown.locator(".crmlab-code code")
        self.said = self.shown.locator(".crmlab-code").get_by_role("status")
        owners = self.shown.locator(".widget-vbox").filter(
            has=cell.page.get_by_text("Owners", exact=True)
        )
        self.owners = owners.last.locator("select")

    def choose(self, section: str, question: str) -> None:
        """Choose a section and one of its questions."""
        self.shown.get_by_role("button", name=section, exact=True).click()
        self.question.select_option(question)

    def tab(self, title: str) -> None:
        """Show the numbers or the code."""
        self.shown.get_by_role("tab", name=title).click()

    def copy(self) -> None:
        """Press the button that copies the code."""
        self.shown.get_by_role("button", name="Copy code").click()


class Bars:
    """The lines of the fetch that a cell runs."""

    def __init__(self, cell: Locator) -> None:
        self.stop = cell.get_by_role("button", name="Stop")
        self.lines = cell.locator(".widget-hbox")
        self._bars = cell.locator(".progress-bar")

    def widths(self) -> list[str]:
        """Return how far each bar is."""
        widths: list[str] = self._bars.evaluate_all("bars => bars.map(bar => bar.style.width)")
        return widths


def traces(figure: Locator) -> list[dict[str, Any]]:
    """Return what a figure has drawn."""
    found: list[dict[str, Any]] = json.loads(
        figure.evaluate("figure => JSON.stringify(figure.data)")
    )
    return found
