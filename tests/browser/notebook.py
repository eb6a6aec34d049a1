"""One open notebook, driven as a person does: run, restart, save, look."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as TooLate

#: the first kernel of a session imports everything for the first time
PATIENCE_MS = 60_000
_KERNEL = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
_KERNEL_IS_IDLE = f"{_KERNEL}?.status === 'idle' && {_KERNEL}.connectionStatus === 'connected'"
#: see `Jupyter.start_kernel`; a restart may still meet one that does not answer
_KERNEL_ANSWERS = f"""() => Promise.race([
  {_KERNEL}.requestExecute({{ code: "", silent: true, store_history: false }}).done.then(() => true),
  new Promise((tired) => setTimeout(tired, 10000, false)),
])"""
ATTEMPTS = 3
KERNEL_MS = 20_000
#: runs a command, and notes its number once its promise is kept or broken
_EXECUTE = """([number, command, options]) => {
  window.finished ??= new Set();
  window.jupyterapp.commands.execute(command, options).finally(() => window.finished.add(number));
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
        self._numbers = itertools.count()

    def open(self, address: str) -> None:
        """Show it and wait for its kernel."""
        self.page.goto(address)
        expect(self.cell(0)).to_be_visible(timeout=PATIENCE_MS)
        self._wait_for_kernel()

    def cell(self, index: int) -> Locator:
        """Return a cell: its source and what is below."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        """Return what a cell shows."""
        return self.cell(index).locator(".jp-OutputArea").first

    @property
    def height(self) -> int:
        """How many cells it has."""
        count: int = self.page.evaluate(
            "window.jupyterapp.shell.currentWidget.content.widgets.length"
        )
        return count

    def start(self, index: int) -> Callable[[], None]:
        """Run a cell without waiting for its end; return what does."""
        # a click inside a widget selects its cell
        self.page.evaluate(
            f"window.jupyterapp.shell.currentWidget.content.activeCellIndex = {index}"
        )
        return self._start("notebook:run-cell")

    def run(self, *indices: int) -> None:
        """Run cells, one after another."""
        for index in indices:
            self.start(index)()

    def run_all(self) -> None:
        """Run every cell."""
        self._start("notebook:run-all-cells")()

    def restart(self) -> None:
        """Restart the kernel; what was shown stays on the screen."""
        finish = self._start("kernelmenu:restart")
        self._confirm()
        finish()
        self._wait_for_kernel()

    def restart_and_run_all(self) -> None:
        """Restart the kernel and run every cell, or those before the first that fails."""
        finish = self._start("notebook:restart-run-all")
        self._confirm()
        finish()

    def go_dark(self) -> None:
        """Change to the dark theme."""
        self._start("apputils:change-theme", theme="JupyterLab Dark")()
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-light", "false")

    def save(self) -> str:
        """Save it, with the state of its widgets, and return what the file holds then."""
        self._start("docmanager:save")()
        return self.path.read_text()

    def shot(self, name: str, index: int | None = None) -> None:
        """Keep a picture of a cell, or of everything."""
        seen = self.page if index is None else self.cell(index)
        seen.screenshot(path=self._album.path(name))

    def _start(self, command: str, **options: str) -> Callable[[], None]:
        number = next(self._numbers)
        self.page.evaluate(_EXECUTE, [number, command, options])

        def finish() -> None:
            self.page.wait_for_function(
                "number => window.finished.has(number)", arg=number, timeout=PATIENCE_MS
            )

        return finish

    def _wait_for_kernel(self) -> None:
        for _ in range(ATTEMPTS):
            with suppress(TooLate):
                self.page.wait_for_function(_KERNEL_IS_IDLE, timeout=KERNEL_MS)
                if self.page.evaluate(_KERNEL_ANSWERS):
                    return
            self.page.evaluate(
                "window.jupyterapp.shell.currentWidget.sessionContext.restartKernel().then(() => 0)"
            )
        raise AssertionError("the kernel does not answer")

    def _confirm(self) -> None:
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()


def drawn(where: Locator) -> Locator:
    """Return the figures there."""
    return where.locator(".js-plotly-plot")
