"""What a notebook shows of a running fetch: its lines, and the button that stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import ipywidgets
from IPython.display import display

from crmlab.notebook.keyboard_guard import KeyboardGuard

_COLUMN_WIDTHS = ("24em", "9em", "48em")


class ProgressPanel:
    """A box of lines below a button, which is there as long as it can do something.

    Parameters
    ----------
    stop
        what the button sets; None: no button
    """

    def __init__(self, stop: asyncio.Event | None) -> None:
        self._lines = ipywidgets.VBox()
        self._button = ipywidgets.Button(
            description="Stop", icon="stop", tooltip="End the fetch; what came is kept"
        )
        self._keys = KeyboardGuard()
        self._box = ipywidgets.VBox([self._lines])
        if stop:
            self._box.children = [self._button, self._lines, self._keys]
            # a click may arrive in another thread with another loop
            running_loop = asyncio.get_running_loop()
            self._button.on_click(lambda _: running_loop.call_soon_threadsafe(self._pressed, stop))
        display(self._box)  # type: ignore[no-untyped-call]

    def show(self, lines: Sequence[ipywidgets.Box]) -> None:
        """Show these lines from top to bottom."""
        for line_box in lines:
            # tqdm makes a box of three: what it is about, the bar, and words
            for column, width in zip(line_box.children, _COLUMN_WIDTHS, strict=True):
                column.layout.width = width
                column.layout.flex = "none"
        self._lines.children = lines

    def close(self) -> None:
        """Take the button away; the lines stay."""
        self._box.children = [self._lines]
        self._button.close()
        self._keys.close()

    def _pressed(self, stop: asyncio.Event) -> None:
        stop.set()
        self._button.description = "Stopping…"
        self._button.disabled = True
