"""Lists that come with the answers of another one: which can, and who tells whom what."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from crmlab.connector import Context, Embedding, JsonPath, Resource, embedding, pages
from crmlab.errors import InternalError
from crmlab.fetching.faults import FAULTS, internal_error


class EmbeddingNegotiation:
    """Between a list and those that it can embed: they say how many they are, it says whom it brings."""

    def __init__(self, holder: str, names: Iterable[str], sizes: Sequence[int]) -> None:
        event_loop = asyncio.get_running_loop()
        self.holder = holder
        self._sizes = sizes
        self._counts: dict[str, asyncio.Future[int]] = {
            name: event_loop.create_future() for name in names
        }
        self._choice: asyncio.Future[tuple[frozenset[str], int]] = event_loop.create_future()
        self._is_over = asyncio.Event()

    @property
    def names(self) -> frozenset[str]:
        """Those that the list can embed."""
        return frozenset(self._counts)

    def count(self, name: str, total: int) -> None:
        """Say how many records a list of its own has; 0 where nothing is known."""
        if not self._counts[name].done():
            self._counts[name].set_result(total)

    async def several_pages(self) -> Mapping[str, int]:
        """Return the counts of those that one page does not hold, as soon as all are known."""
        counts: dict[str, int] = {}
        for name, pending_count in self._counts.items():
            # shielded: others wait for the same count
            record_count = await asyncio.shield(pending_count)
            if pages(record_count, self._sizes[0]) > 1:
                counts[name] = record_count
        return counts

    async def choose(self, total: int) -> tuple[frozenset[str], int]:
        """Return who comes inside a list of that many records, and in pages of which size."""
        if not self._choice.done():
            counts = await self.several_pages()
            page_size = embedding(total, counts, self._sizes)
            if page_size is None:
                self.give_up()
            elif not self._choice.done():  # may have been given up meanwhile
                self._choice.set_result((frozenset(counts), page_size))
        return self._choice.result()

    def give_up(self) -> None:
        """Bring nobody, if that is still open."""
        if not self._choice.done():
            self._choice.set_result((frozenset(), self._sizes[0]))

    def end(self) -> None:
        """Say that the list is read, or will not be: what it brings is there."""
        self.give_up()
        self._is_over.set()

    async def brings(self, name: str) -> bool:
        """Whether these records come inside the list, as soon as it is decided."""
        chosen, _ = await asyncio.shield(self._choice)
        return name in chosen

    async def over(self) -> None:
        """Wait until all that the list brings is there."""
        await self._is_over.wait()


class Embeddings:
    """Which of these resources can come with the answers of which others, in a fetch like this."""

    def __init__(self, resources: Mapping[str, Resource], contexts: Mapping[str, Context]) -> None:
        self._resources = resources
        self._negotiations: dict[str, EmbeddingNegotiation] = {}
        #: what went wrong with a resource before it is read: its own failure, and of no other one
        self._faults: dict[str, InternalError] = {}
        for resource in resources.values():
            embeddable_names = self._embeddable(resource, contexts)
            if resource.embedding and embeddable_names:
                page_sizes = resource.embedding.sizes
                self._negotiations[resource.name] = EmbeddingNegotiation(
                    resource.name, embeddable_names, page_sizes
                )

    def _embeddable(self, resource: Resource, contexts: Mapping[str, Context]) -> set[str]:
        """Return the resources of this fetch that a list can embed."""
        if resource.embedding is None:
            return set()
        embeddable: set[str] = set()
        try:
            for embedded in resource.embeds:
                embedded_name = embedded.resource
                if embedded_name not in self._resources:
                    continue
                if _is_possible(resource.embedding, resource.name, embedded_name, contexts):
                    embeddable.add(embedded_name)
        except FAULTS as fault:
            self._faults[resource.name] = internal_error(fault)
            return set()
        return embeddable

    def check(self, name: str) -> None:
        """Raise the `InternalError` that says why a resource cannot tell whether it embeds others."""
        if name in self._faults:
            raise self._faults[name]

    def embeds(self, name: str) -> EmbeddingNegotiation | None:
        """Return the negotiation with those that a list can embed; None where there are none."""
        return self._negotiations.get(name)

    def embedded_in(self, name: str) -> EmbeddingNegotiation | None:
        """Return the negotiation with the list that can embed it; None where there is none."""
        for negotiation in self._negotiations.values():
            if name in negotiation.names:
                return negotiation
        return None

    def always_in(self, name: str) -> str:
        """Return the resource whose answers always hold these records; empty where none does."""
        for resource in self._resources.values():
            if resource.always_embeds(name):
                return resource.name
        return ""

    def paths(self, name: str) -> dict[str, list[JsonPath]]:
        """Return the resources that the answers of this one may hold, and where."""
        resource = self._resources[name]
        embedded_paths: dict[str, list[JsonPath]] = {}
        negotiation = self._negotiations.get(name)
        if resource.embedding and negotiation is None:
            return embedded_paths
        for embedded in resource.embeds:
            if embedded.resource not in self._resources:
                continue
            if negotiation is None or embedded.resource in negotiation.names:
                embedded_paths.setdefault(embedded.resource, []).append(embedded.path)
        return embedded_paths


def _is_possible(
    embedding: Embedding, holder: str, name: str, contexts: Mapping[str, Context]
) -> bool:
    """Whether a list may embed the records of another, as it is read and as the other would be."""
    if not embedding.possible(name, contexts[holder]):
        return False
    return embedding.possible(name, contexts[name])
