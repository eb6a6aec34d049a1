"""Lists that come inside another one: who tells whom what."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from crmlab.connector import embedding, pages


class Inside:
    """Between a list and those that it can hold: they say how many they are, it says whom it brings."""

    def __init__(self, holder: str, names: Iterable[str], sizes: Sequence[int]) -> None:
        loop = asyncio.get_running_loop()
        self.holder, self._sizes = holder, sizes
        self._counts: dict[str, asyncio.Future[int]] = {name: loop.create_future() for name in names}
        self._chosen: asyncio.Future[tuple[frozenset[str], int]] = loop.create_future()

    def count(self, name: str, total: int) -> None:
        """Say how many records a list of its own has; 0 where nothing is known."""
        if not self._counts[name].done():
            self._counts[name].set_result(total)

    async def several_pages(self) -> Mapping[str, int]:
        """Return the counts of those that one page does not hold, as soon as all are known."""
        counts = {name: await asyncio.shield(count) for name, count in self._counts.items()}
        return {name: total for name, total in counts.items() if pages(total, self._sizes[0]) > 1}

    async def choose(self, total: int) -> tuple[frozenset[str], int]:
        """Return who comes inside a list of that many records, and in pages of which size."""
        if not self._chosen.done():
            held = await self.several_pages()
            size = embedding(total, held, self._sizes)
            self._chosen.set_result((frozenset(held), size) if size else (frozenset(), self._sizes[0]))
        return self._chosen.result()

    def give_up(self) -> None:
        """Bring nobody, if that is still open."""
        if not self._chosen.done():
            self._chosen.set_result((frozenset(), self._sizes[0]))

    async def brings(self, name: str) -> bool:
        """Whether these records come inside the list, as soon as it is decided."""
        chosen, _ = await asyncio.shield(self._chosen)
        return name in chosen
