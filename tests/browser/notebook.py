"""One open notebook, driven as a person does: run, restart, save, look."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

#: the first kernel of a session imports everything for the first time
PATIENCE_MS = 60_000
_KERNEL_IS_IDLE = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
#: runs a command; `finished` tells when its promise is kept
_EXECUTE = """([command, options]) => {
  window.finished = false;
  window.jupyterapp.commands.execute(command, options).then(() => { window.finished = true; });
}"""


@dataclass(frozen=True)
class Album:
    """Where the pictures of one test are kept."""

    folder: Path
    test: str

    def path(self, name: str) -> Path:
        """Return the file of the picture of that name."""
        return self.folder / f"{name}.png"


class Notebook:
    """A notebook that is open in `page` and stored at `path`; cells are known by their index."""

    def __init__(self, page: Page, path: Path, album: Album) -> None:
        self.page, self.path = page, path
        self._album = album

    def open(self, address: str) -> None:
        """Show it and wait for its kernel."""
        self.page.goto(address)
        expect(self.cell(0)).to_be_visible(timeout=PATIENCE_MS)
        self.page.wait_for_function(_KERNEL_IS_IDLE, timeout=PATIENCE_MS)

    def cell(self, index: int) -> Locator:
        """Return a cell: its source and what is below."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        """Return what a cell shows."""
        return self.cell(index).locator(".jp-OutputArea").first

    @property
    def height(self) -> int:
        """How many cells it has."""
        count: int = self.page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length")
        return count

    def start(self, index: int) -> None:
        """Run a cell and do not wait for its end."""
        # a click inside a widget selects its cell
        self.page.evaluate(f"window.jupyterapp.shell.currentWidget.content.activeCellIndex = {index}")
        self._execute("notebook:run-cell")
        expect(self._prompt(index)).not_to_have_text("[ ]:")

    def finish(self, index: int) -> None:
        """Wait for the end of a cell that was started."""
        expect(self._prompt(index)).to_have_text(re.compile(r"\[\d+\]:"), timeout=PATIENCE_MS)

    def run(self, *indices: int) -> None:
        """Run cells, one after another."""
        for index in indices:
            self.start(index)
            self._finished()

    def run_all(self) -> None:
        """Run every cell."""
        self._execute("notebook:run-all-cells")
        self._finished()

    def restart(self) -> None:
        """Restart the kernel; what was shown stays on the screen."""
        self._execute("kernelmenu:restart")
        self._confirm()
        self._finished()
        self.page.wait_for_function(_KERNEL_IS_IDLE, timeout=PATIENCE_MS)

    def restart_and_run_all(self) -> None:
        """Restart the kernel and run every cell."""
        self._execute("notebook:restart-run-all")
        self._confirm()
        self._finished()

    def go_dark(self) -> None:
        """Change to the dark theme."""
        self._execute("apputils:change-theme", theme="JupyterLab Dark")
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-light", "false")

    def save(self) -> str:
        """Save it, with the state of its widgets, and return what the file holds then."""
        self._execute("docmanager:save")
        self._finished()
        return self.path.read_text()

    def shot(self, name: str, index: int | None = None) -> None:
        """Keep a picture of a cell, or of everything."""
        seen = self.page if index is None else self.cell(index)
        seen.screenshot(path=self._album.path(name))

    def _prompt(self, index: int) -> Locator:
        return self.cell(index).locator(".jp-InputPrompt")

    def _execute(self, command: str, **options: str) -> None:
        self.page.evaluate(_EXECUTE, [command, options])

    def _finished(self) -> None:
        self.page.wait_for_function("window.finished", timeout=PATIENCE_MS)

    def _confirm(self) -> None:
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()
