"""What a difference between a service and its document costs: CPU of decoding against that of what is documented.

Eleven kinds of difference, each in one field of OnePageCRM's contacts or deals; every record is fetched as it is by
the shared tables, and also whole.

python -m benchmarks.drift
"""

import copy
import datetime as dt
import json
import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

os.environ["POLARS_MAX_THREADS"] = "1"  # read when polars is loaded

from crmlab.connector import Context, Page, Request
from crmlab.decoding import RAW, Decoded, Record, decoder, records
from crmlab.fetching.decode_queue import Backpressure
from crmlab.providers.onepagecrm import PROVIDER
from crmlab.sandbox.services.onepagecrm.lists import lists
from crmlab.sandbox.world.generate import generate

RUNS = 9
PEOPLE, RECORDS = 8_000, 6_000
#: as many as OnePageCRM gives at once
PAGE = 100
#: what a difference may cost: where every record differs, and where one in a hundred does
EVERY, SOME = 1.3, 1.2

#: a record as the service has it
Documented = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of difference: what it makes of a value, and of which fields of which list."""

    name: str
    change: Callable[[Any], object]
    fields: dict[str, tuple[str, ...]]
    #: one record in so many has it
    every: int = 1

    @property
    def limit(self) -> float:
        """The CPU it may cost, as a multiple."""
        return EVERY if self.every == 1 else SOME


_TEXTS = {"contacts": ("url", "status", "job_title"), "deals": ("name", "status")}
_NUMBERS = {"contacts": ("total_pendings",), "deals": ("amount", "months", "stage")}
_LISTS = {
    "contacts": ("emails", "phones", "address_list", "custom_fields"),
    "deals": ("deal_fields",),
}
_OBJECTS = {"deals": ("owner", "contact_info")}
_TRUTHS = {"contacts": ("starred",), "deals": ("has_deal_items",)}
_ANY = {
    "contacts": ("emails", "tags", "owner_id"),
    "deals": ("amount", "stage", "owner", "expected_close_date"),
}
KINDS = (
    Kind("as documented", lambda value: value, {"contacts": ("id",), "deals": ("id",)}),
    Kind("text that is a list", lambda value: [value or "x"], _TEXTS),
    Kind("text that is a number", lambda value: 5, _TEXTS),
    Kind("number that is text", lambda value: str(value or 0), _NUMBERS),
    Kind("list that is one object", lambda value: (value or [{}])[0], _LISTS),
    Kind("list with null items", lambda value: [None, *(value or [])], _LISTS),
    Kind("object that is a list", lambda value: [value], _OBJECTS),
    Kind("boolean that is text", lambda value: str(value).lower(), _TRUTHS),
    Kind("one bad value in 100", lambda value: {"strange": "n/a"}, _ANY, every=100),
    Kind("a bad value everywhere", lambda value: {"strange": "n/a"}, _ANY),
)


def main() -> None:
    world = generate(PEOPLE, seed=7)
    made = {
        name: _records(lists(world, {})[name].slice(0, RECORDS), name)
        for name in ("contacts", "deals")
    }
    print(f"{'':28}{'list':10}{'field':22}{'tables':>8}{'whole':>8}")
    for kind in KINDS:
        for name, fields in kind.fields.items():
            for field in fields:
                changed = _changed(made[name], kind, field)
                ratios = _ratios(name, made[name], changed)
                _show((kind.name, name, field), ratios, kind.limit)
    for name, found in made.items():
        more = [{**record, **{f"new_{number}": number for number in range(50)}} for record in found]
        _show(("fifty new fields", name, ""), _ratios(name, found, more), EVERY)


def _ratios(name: str, clean: list[Documented], changed: list[Documented]) -> list[float]:
    """Return what decoding the changed records costs, against the clean ones: for the shared table, and whole."""
    ratios = []
    for whole in (False, True):
        # each run is set against the one right beside it: a machine that is slower for a while is so for both
        of_pairs = []
        for _ in range(RUNS):
            before = _seconds(name, clean, whole=whole)
            of_pairs.append(_seconds(name, changed, whole=whole) / before)
        ratios.append(statistics.median(of_pairs))
    return ratios


def _show(what: tuple[str, str, str], ratios: list[float], limit: float) -> None:
    kind, name, field = what
    over = "" if max(ratios) <= limit else f"  over {limit}"
    print(f"{kind:28}{name:10}{field:22}{ratios[0]:8.2f}{ratios[1]:8.2f}{over}", flush=True)


def _seconds(name: str, found: list[Documented], *, whole: bool) -> float:
    """Return the CPU seconds of cutting pages into records and decoding them as a fetch does."""
    resource = PROVIDER.resource(name)
    pages = [_page(name, found[start : start + PAGE]) for start in range(0, len(found), PAGE)]
    decode = decoder(
        resource, context(), provider="onepagecrm", account="a", tables=[name], raw=whole
    )
    started = time.process_time()
    cut = chain.from_iterable(records(page, resource, whole=whole) for page in pages)
    decoded = [decode(batch) for batch in _batches(cut)]
    taken = time.process_time() - started
    assert _came(decoded, name) == len(found)
    return taken


def _page(name: str, found: list[Documented]) -> Page:
    body = json.dumps({"data": {name: [{name[:-1]: record} for record in found]}}).encode()
    return Page(request=Request(path=f"/{name}"), status=200, headers={}, body=body)


def _batches(found: Iterable[Record]) -> Iterator[list[Record]]:
    """Yield as many as a fetch decodes at once."""
    backpressure = Backpressure()
    batch: list[Record] = []
    size = 0
    for record in found:
        batch.append(record)
        size += record.size
        if backpressure.is_enough(size, len(batch)):
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _came(decoded: list[Decoded], name: str) -> int:
    return sum(each.frames[name].height for each in decoded)


def context() -> Context:
    """Return what deals need of other lists, as it is where these lists are empty."""
    alone = Context(now=dt.datetime.now(dt.UTC))
    known = {}
    for name in PROVIDER.resource("deals").needs_before_decode:
        needed = PROVIDER.resource(name)
        decode = decoder(needed, alone, provider="onepagecrm", account="a", tables=[], raw=True)
        known[name] = decode([]).frames[RAW]
    return Context(now=alone.now, rows=known)


def _records(items: bytes, name: str) -> list[Documented]:
    return [item[name[:-1]] for item in json.loads(items)]


def _changed(found: list[Documented], kind: Kind, field: str) -> list[Documented]:
    changed = copy.deepcopy(found)
    for record in changed[:: kind.every]:
        record[field] = kind.change(record.get(field))
    return changed


if __name__ == "__main__":
    main()
