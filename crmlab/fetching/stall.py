"""How long a list has brought nothing new: by the clock on the wall, waits for a limit apart. Pure."""

from __future__ import annotations


class BarrenTime:
    """The time in which answers without a new record were under way; that of answers side by side counts once.

    What passes while nothing is under way does not count: then the list waits for a limit, as the service asked.
    """

    def __init__(self) -> None:
        #: from when to when, apart from each other and in their order
        self._spans: list[tuple[float, float]] = []

    @property
    def seconds(self) -> float:
        """How long it is since the last new record."""
        return sum(ended_at - began_at for began_at, ended_at in self._spans)

    def answered(self, now: float, seconds: float, *, is_new: bool) -> None:
        """Take note of an answer that has come now and was under way for so long, later than those before."""
        if is_new:
            self._spans.clear()
            return
        began_at = now - seconds
        while self._spans and self._spans[-1][1] >= began_at:
            earlier, _ = self._spans.pop()
            began_at = min(began_at, earlier)
        self._spans.append((began_at, now))
