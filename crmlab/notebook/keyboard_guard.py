"""What keeps the notebook's shortcuts from keys that are pressed in a box of widgets."""

from __future__ import annotations

from pathlib import Path

import anywidget


class KeyboardGuard(anywidget.AnyWidget):
    """A child of a box that is not seen: keys pressed in the box are the box's own."""

    _esm = Path(__file__).with_suffix(".js")

    def __init__(self) -> None:
        super().__init__(layout={"display": "none"})
