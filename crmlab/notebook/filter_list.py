"""A list to choose values from, with a search where it is long."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ipywidgets as widgets

#: more are not sent to the browser
_SHOWN = 200
#: from so many on there is a search
_MANY = 12


def display_of(*, is_shown: bool) -> str:
    """Return the layout's word for a widget that is shown or not; of a hidden one nothing takes place."""
    if is_shown:
        return ""
    return "none"


class FilterList:
    """Values to choose from; choosing none is no restriction.

    Attributes
    ----------
    chosen : tuple of str or None
        What is chosen; None stands for rows without a value.
    box : ipywidgets.VBox
        The list with its search, hidden while there is nothing to choose between.
    """

    def __init__(self, label: str, changed: Callable[[object], None]) -> None:
        self.chosen: tuple[str | None, ...] = ()
        self.search = widgets.Text(placeholder=f"search {label.lower()}", layout={"width": "auto"})
        self.list = widgets.SelectMultiple(rows=4, layout={"width": "auto"})
        self.box = widgets.VBox(
            [widgets.Label(label), self.search, self.list], layout={"width": "15em"}
        )
        self._labels: dict[str | None, str] = {}
        self._changed = changed
        #: while the list is filled, it tells of choices that nobody made
        self._filling = False
        self.search.observe(lambda _: self._fill(), "value")
        self.list.observe(self._choose, "value")

    def offer(self, labels: Mapping[str | None, str]) -> None:
        """Offer these values, each with its words; of what was chosen, that which is among them stays so."""
        self._labels = dict(labels)
        self.chosen = tuple(value for value in self.chosen if value in labels)
        self.box.layout.display = display_of(is_shown=len(labels) > 1)
        self.search.layout.display = display_of(is_shown=len(labels) > _MANY)
        self.search.value = ""
        self._fill()

    def clear(self) -> None:
        """Choose none."""
        self.list.value = ()

    def _fill(self) -> None:
        """List what is chosen, and then what the search finds."""
        searched = self.search.value.casefold()
        matching = [value for value, label in self._labels.items() if searched in label.casefold()]
        # once each, in this order
        chosen_first = dict.fromkeys([*self.chosen, *matching])
        listed_values = list(chosen_first)[:_SHOWN]
        self._filling = True
        self.list.value = ()  # before it is sent other options: places in the old ones may not be among them
        self.list.options = [(self._labels[value], value) for value in listed_values]
        self.list.value = self.chosen
        self._filling = False

    def _choose(self, change: object) -> None:
        if not self._filling:
            self.chosen = self.list.value
            self._changed(change)
