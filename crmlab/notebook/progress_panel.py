"""What a notebook shows of a running fetch: its lines, and the button that stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import ipywidgets
from IPython.display import display

from crmlab.notebook.keyboard_guard import KeyboardGuard


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
        self._box = ipywidgets.VBox(
            [self._button, self._lines, self._keys] if stop else [self._lines]
        )
        if stop:
            # a click may arrive in another thread with another loop
            loop = asyncio.get_running_loop()
            self._button.on_click(lambda _: loop.call_soon_threadsafe(self._pressed, stop))
        display(self._box)  # type: ignore[no-untyped-call]

    def show(self, lines: Sequence[ipywidgets.Box]) -> None:
        """Show these lines from top to bottom."""
        for line in lines:
            title, bar, words = line.children
            title.layout.width, bar.layout.width, words.layout.width = "24em", "9em", "48em"
            title.layout.flex = bar.layout.flex = words.layout.flex = "none"
        self._lines.children = lines

    def close(self) -> None:
        """Take the button away; the lines stay."""
        self._box.children = [self._lines]
        self._button.close()
        self._keys.close()

    def _pressed(self, stop: asyncio.Event) -> None:
        stop.set()
        self._button.description, self._button.disabled = "Stopping…", True
