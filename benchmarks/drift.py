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
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

os.environ["POLARS_MAX_THREADS"] = "1"  # read when polars is loaded

from crmlab.connector import Context, Page, Request
from crmlab.decoding import RAW, Decoded, decoder, records
from crmlab.providers.onepagecrm import PROVIDER
from crmlab.sandbox.services.onepagecrm.lists import lists
from crmlab.sandbox.world.generate import generate

RUNS = 5
RECORDS = 4_000
#: as many as a fetch decodes at once
BATCH = 1_000
#: what a difference may cost: where every record differs, and where one in a hundred does
EVERY, SOME = 1.3, 1.2

Record = dict[str, Any]


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
    world = generate(5_000, seed=7)
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


def _ratios(name: str, clean: list[Record], changed: list[Record]) -> list[float]:
    """Return what decoding the changed records costs, against the clean ones: for the shared table, and whole."""
    ratios = []
    for whole in (False, True):
        pairs = [
            (_seconds(name, clean, whole=whole), _seconds(name, changed, whole=whole))
            for _ in range(RUNS)
        ]
        before = statistics.median(pair[0] for pair in pairs)
        after = statistics.median(pair[1] for pair in pairs)
        ratios.append(after / before)
    return ratios


def _show(what: tuple[str, str, str], ratios: list[float], limit: float) -> None:
    kind, name, field = what
    over = "" if max(ratios) <= limit else f"  over {limit}"
    print(f"{kind:28}{name:10}{field:22}{ratios[0]:8.2f}{ratios[1]:8.2f}{over}", flush=True)


def _seconds(name: str, found: list[Record], *, whole: bool) -> float:
    """Return the CPU seconds of cutting a page into records and decoding them as a fetch does."""
    resource = PROVIDER.resource(name)
    body = json.dumps({"data": {name: [{name[:-1]: record} for record in found]}}).encode()
    page = Page(request=Request(path=f"/{name}"), status=200, headers={}, body=body)
    decode = decoder(
        resource, context(), provider="onepagecrm", account="a", tables=[name], raw=whole
    )
    started = time.process_time()
    cut = records(page, resource, whole=whole)
    decoded = [decode(cut[start : start + BATCH]) for start in range(0, len(cut), BATCH)]
    taken = time.process_time() - started
    assert _came(decoded, name) == len(found)
    return taken


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


def _records(items: bytes, name: str) -> list[Record]:
    return [item[name[:-1]] for item in json.loads(items)]


def _changed(found: list[Record], kind: Kind, field: str) -> list[Record]:
    changed = copy.deepcopy(found)
    for record in changed[:: kind.every]:
        record[field] = kind.change(record.get(field))
    return changed


if __name__ == "__main__":
    main()
