"""The sources and destinations of a world, and what was written of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from crmlab.sandbox.service import Record
from crmlab.sandbox.services.commanders_act import records, replies
from crmlab.sandbox.world.model import Integration, World


class Integrations:
    """Those of the world, without those that were deleted and with those that were added."""

    def __init__(self, world: World) -> None:
        self._now = world.now
        self._all = list(world.integrations)
        #: attributes that were written, by id
        self._written: dict[int, Record] = {}

    def __iter__(self) -> Iterator[Integration]:
        return iter(self._all)

    def of(self, direction: str) -> list[Integration]:
        """Return the sources, or the destinations."""
        return [integration for integration in self._all if integration.direction == direction]

    def named(self, id: str, direction: str = "") -> Integration:
        """Return the one of that id, of either direction where none is named.

        Raises
        ------
        NoDataError
            there is none
        """
        for integration in self._all:
            if str(integration.id) == id and direction in ("", integration.direction):
                return integration
        raise replies.NoDataError

    def shown(self, one: Integration, included: Collection[str] = ()) -> Record:
        """Return it as an answer has it."""
        integration = records.integration(one, included)
        integration["attributes"] |= self._written.get(one.id, {})
        return integration

    def add(self, direction: str, attributes: Mapping[str, Any]) -> Record:
        """Add one with the next free id, and return it as an answer has it."""
        ids = [integration.id for integration in self._all]
        highest_id = max(ids, default=0)
        added = Integration(
            id=highest_id + 1,
            label=attributes["label"],
            direction=direction,
            connector_id="0",
            connector_name=attributes["label"],
            connector_template="custom",
            environment="production",
            status=attributes["status"],
            created_at=self._now,
            last_run_at=None,
            hourly=[],
        )
        self._all.append(added)
        return self.change(added, attributes)

    def change(self, one: Integration, attributes: Mapping[str, Any]) -> Record:
        """Write attributes, and return it as an answer has it."""
        written = {
            **self._written.get(one.id, {}),
            **attributes,
            "updated": records.offset_time(self._now),
        }
        # what the service counts itself cannot be written
        written.pop("health", None)
        self._written[one.id] = written
        return self.shown(one)

    def delete(self, one: Integration) -> None:
        """Take it out of all lists."""
        self._all.remove(one)
