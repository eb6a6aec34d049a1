"""What is asked besides a fetch, through the same proxy: ``python -m tests.torture.ways [RUNS] [SEED]``.

Files, plans, single calls, a spool, downloads and pushes.

Each way says what came of one run of it, in the outcomes of `faulty`. A push is held to more: what it says of a row is
what the service has, however often the same push is made; nothing is there twice, and what nobody knows is told.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

import crmlab
from crmlab.errors import CrmlabError, UsageError
from tests.torture.fault_table import FAULTS, LONG, OTHER_ROWS, Answer, Fault
from tests.torture.faulty import (
    AT_ONCE,
    LIMITS,
    NEVER,
    TIMEOUTS,
    WRONG,
    Bench,
    Run,
    judged,
    judged_failures,
    opened,
    show,
    timed,
)
from tests.torture.proxy import Proxy, Strike

#: what a way is told, and what it returns: an outcome and words
Way = Callable[[Bench, crmlab.Account, Proxy, Path], Awaitable[tuple[str, str]]]
_PROOFS = 6
_NEW_ROWS = 6
_CHANGED_ROWS = 3
#: what a push says of a row beside the reason of the fault
_OF_ROWS = r"names no|names another id|tells no status|without the record|with another record|must be known whole"
_LOST = ", and is not"
_NO_FILE = r"no PDF|that has no end|with nothing in the place of a file"


def hit(proxy: Proxy) -> list[Fault]:
    """Return the faults that hit an answer."""
    return [strike.fault for strike in proxy.strikes if strike.hits]


def _left(folder: Path) -> list[str]:
    return [
        path.name for path in folder.rglob("*") if path.name.startswith(".") or ".part" in path.name
    ]


# ---- a fetch in other ways ------------------------------------------------------------------------------------


async def into_files(
    bench: Bench, account: crmlab.Account, proxy: Proxy, folder: Path
) -> tuple[str, str]:
    """Fetch into files, and open them."""
    out = folder / "out"
    try:
        stored = await crmlab.fetch_to(
            out, account, limits=LIMITS, timeouts=TIMEOUTS, progress=False
        )
    except CrmlabError as error:
        assert not [*out.glob("*.parquet")], "files of a fetch that failed"
        assert not _left(out), "parts of a fetch that failed"
        return judged_failures([error], hit(proxy), NEVER)
    assert not _left(out), "parts of a fetch that ended"
    data = crmlab.open(out, lazy=False)
    if data.complete != stored.complete or data.failures != stored.failures:
        same = [*map(str, data.failures)] == [
            *map(str, stored.failures)
        ] and data.complete == stored.complete
        assert same, "the files tell otherwise than the fetch"
    return judged(data, bench.expected[account.provider.name], hit(proxy), NEVER)


async def planned(
    bench: Bench, account: crmlab.Account, proxy: Proxy, folder: Path
) -> tuple[str, str]:
    """Plan, then fetch the plan."""
    plan = await crmlab.plan(account, limits=LIMITS, timeouts=TIMEOUTS)
    data = await crmlab.fetch(plan, limits=LIMITS, timeouts=TIMEOUTS, progress=False)
    return judged(data, bench.expected[account.provider.name], hit(proxy), NEVER)


async def resumed(
    bench: Bench, account: crmlab.Account, proxy: Proxy, folder: Path
) -> tuple[str, str]:
    """Fetch with a spool through the faults, again without them, and then from the spool alone."""
    expected = bench.expected[account.provider.name]
    asked: dict[str, Any] = {
        "limits": LIMITS,
        "timeouts": TIMEOUTS,
        "progress": False,
        "spool": folder / "spool",
    }
    try:
        data = await crmlab.fetch(account, **asked)
    except CrmlabError as error:
        first = judged_failures([error], hit(proxy), NEVER)
    else:
        first = judged(data, expected, hit(proxy), NEVER)
    if first[0] in ("silent", "odd"):
        return first
    faults = hit(proxy)
    proxy.strikes = ()
    again = await crmlab.fetch(account, **asked)
    second = judged(again, expected, faults, NEVER)
    replayed = judged(crmlab.replay(folder / "spool"), expected, faults, NEVER)
    for outcome, words in (second, replayed):
        if outcome not in ("exact", first[0]):
            return (
                "silent" if outcome == "silent" else "odd"
            ), f"{first} became {outcome}: {words}"
    return first


# ---- one request ----------------------------------------------------------------------------------------------


async def checked(
    bench: Bench, account: crmlab.Account, proxy: Proxy, folder: Path
) -> tuple[str, str]:
    """Ask who is reached."""
    words = await crmlab.check(account, timeouts=TIMEOUTS)
    right = await crmlab.check(bench.sandbox.account(account.provider.name))
    same = words.rpartition(" · ")[0] == right.rpartition(" · ")[0]
    if same:
        return "exact", ""
    if "without content" in words:
        return "told", words
    return "unseen" if _came_so(proxy) else "silent", words


async def called(
    bench: Bench, account: crmlab.Account, proxy: Proxy, folder: Path
) -> tuple[str, str]:
    """Call an operation: what comes back is the right answer, or word for word another one that came with success."""
    name = bench.chance.choice(readable(account))
    right = await crmlab.call(bench.sandbox.account(account.provider.name), name)
    before = len(proxy.sent)
    found = await crmlab.call(account, name, timeouts=TIMEOUTS)
    if _timeless(found) == _timeless(right):
        return "exact", ""
    bodies = [answer.body for answer in proxy.sent[before:] if answer.status < 300]
    is_what_came = any(_timeless(found) == _timeless(_decoded(body)) for body in bodies)
    return (
        "unseen" if is_what_came or _came_so(proxy) else "silent"
    ), f"{name}: {str(found)[:200]}"


def _came_so(proxy: Proxy) -> bool:
    """Whether another page came in the place of the right one, which looks as good."""
    return any(fault.unseen or OTHER_ROWS in fault.reason for fault in hit(proxy))


def readable(account: crmlab.Account) -> list[str]:
    """Return the operations that read and need no argument."""
    table = crmlab.operations(account.provider.name)
    reading = table.filter(~pl.col("writes"), ~pl.col("destructive"))["operation"]
    return [
        name
        for name in reading
        if name != "campaigns_broadcasts_list" and _needs_nothing(account, name)
    ]


def _needs_nothing(account: crmlab.Account, name: str) -> bool:
    known = {each.name: each for each in account.provider.operations()}
    try:
        known[name].request()
    except UsageError:
        return False
    return True


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body) if body.strip() else None
    except (ValueError, RecursionError):
        return body


def _timeless(found: Any) -> Any:
    """Return an answer without the time at which it was given."""
    if isinstance(found, dict):
        return {name: value for name, value in found.items() if name != "timestamp"}
    return found


# ---- files ----------------------------------------------------------------------------------------------------


async def downloaded(
    bench: Bench, account: crmlab.Account, proxy: Proxy, folder: Path
) -> tuple[str, str]:
    """Download proofs of consents: each is right, or told and not there."""
    direct = bench.sandbox.account("complero")
    data = await crmlab.fetch(direct, "complero.events", progress=False)
    events = data["complero.events"].filter(pl.col("type") == "confirm").head(2 * _PROOFS)
    pairs = events.select(contact_id="its_contact_id", event_id="its_event_id")
    right = await crmlab.download(direct, "documentation_by_event", folder / "right", pairs)
    right = right.filter(pl.col("failure").is_null()).head(_PROOFS)
    asked = right.select(pairs.columns)
    try:
        found = await crmlab.download(
            account,
            "documentation_by_event",
            folder / "found",
            asked,
            limits=LIMITS,
            timeouts=TIMEOUTS,
        )
    except CrmlabError as error:
        return judged_failures([error], hit(proxy), _NO_FILE)
    finally:
        assert not _left(folder / "found"), "a part of a file"
    there = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "found").iterdir()}
    assert there == {*found["sha256"].drop_nulls()}, "the files are not those that are told of"
    failures = found["failure"].drop_nulls().to_list()
    strange = there - {*right["sha256"]}
    # no service tells the sum of a file: what is whole by its first and last bytes is taken for it
    if strange:
        return "unseen", f"{len(strange)} other files"
    if failures:
        return judged_failures([], hit(proxy), _NO_FILE, notes=failures)
    return "exact", ""


# ---- pushes ---------------------------------------------------------------------------------------------------


async def pushed(
    bench: Bench, account: crmlab.Account, proxy: Proxy, folder: Path
) -> tuple[str, str]:
    """Push rows through the faults and again without them, and hold what is said of each against what is there."""
    direct = bench.sandbox.account(account.provider.name)
    frame, options = await _rows(direct)
    asked: dict[str, Any] = {
        "results": folder / "results.jsonl",
        "limits": LIMITS,
        "progress": False,
        **options,
    }
    failures: list[CrmlabError] = []
    reasons: list[str] = []
    try:
        first = await crmlab.push(account, "contacts", frame, timeouts=TIMEOUTS, **asked)
    except CrmlabError as error:
        failures.append(error)
        states: list[str] = ["not_sent"] * frame.height
        is_exact = False
    else:
        failures += [first.failure] if first.failure else []
        is_exact = first.complete
        reasons = first.frame["reason"].drop_nulls().to_list()
        states = _states(first)
    wrong = _wrong(states, await _there(direct))
    faults = hit(proxy)
    proxy.strikes = ()
    second = await crmlab.push(account, "contacts", frame, **asked)
    wrong += _wrong(_states(second), await _there(direct))
    open_rows = [state for state in _states(second) if state not in ("there", "unknown")]
    if open_rows:
        wrong.append(f"still {open_rows[:3]} after a push without faults: {second}")
    if wrong:
        is_lost = all(words.endswith(_LOST) for words in wrong)
        is_unseen = is_lost and any(fault.unseen for fault in faults)
        return "unseen" if is_unseen else "silent", "; ".join(wrong[:4])
    if is_exact:
        return "exact", ""
    return judged_failures(
        failures, faults, _OF_ROWS, notes=[reason for reason in reasons if reason]
    )


async def _rows(account: crmlab.Account) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Return new contacts and changed ones, each with a name of its own."""
    name = account.provider.name
    count = _NEW_ROWS + _CHANGED_ROWS
    names = [f"Row{number}" for number in range(count)]
    frame = pl.DataFrame({"first_name": ["T"] * count, "last_name": names})
    known = (
        (await crmlab.fetch(account, "contacts", progress=False))
        .contacts["id"]
        .head(_CHANGED_ROWS)
        .to_list()
    )
    ids = [*known, *([None] * _NEW_ROWS)]
    if name == "complero":
        return frame.with_columns(id=pl.Series(names)), {}
    if name == "altcraft":  # by their addresses
        database = (await crmlab.call(account, "databases_list"))["data"][0]["id"]
        return frame.with_columns(emails=pl.Series([[f"{each}@example.com"] for each in names])), {
            "db_id": database
        }
    return frame.with_columns(id=pl.Series(ids, dtype=pl.String)), {}


async def _there(account: crmlab.Account) -> Counter[str]:
    """Count the contacts of each name at the service."""
    if (
        account.provider.name == "complero"
    ):  # its contacts come with events, of which new ones have none
        found = []
        for number in range(_NEW_ROWS + _CHANGED_ROWS):
            try:
                found.append(
                    (await crmlab.call(account, "get_contact", id=f"Row{number}"))["last_name"]
                )
            except CrmlabError:
                continue
        return Counter(found)
    contacts = (await crmlab.fetch(account, "contacts", progress=False)).contacts
    return Counter(contacts["last_name"].drop_nulls())


def _states(result: Any) -> list[str]:
    """Return for each row whether it is said to be there, not to be there, or that nobody knows."""
    names = {"created": "there", "updated": "there", "sent": "there"}
    rows = result.frame.sort("row").select("state", "pending").iter_rows()
    return ["unknown" if pending else names.get(state, state) for state, pending in rows]


def _wrong(states: Sequence[str], there: Counter[str]) -> list[str]:
    """Return what is said of rows and is not so."""
    wrong = []
    for number, state in enumerate(states):
        count = there[f"Row{number}"]
        if count > 1:
            wrong.append(f"row {number} is there {count} times")
        elif state == "there" and not count:
            wrong.append(f"row {number} is said to be there{_LOST}")
        elif state not in ("there", "unknown") and count:
            wrong.append(f"row {number} is said to be {state}, and is there")
    return wrong


# ---- many -----------------------------------------------------------------------------------------------------

WRITING = ("altcraft", "complero", "onepagecrm", "relenta")
WAYS: dict[str, Way] = {
    "fetch_to, then open": into_files,
    "plan, then fetch": planned,
    "spool, the same call, replay": resumed,
    "check": checked,
    "call": called,
    "download": downloaded,
    "push, twice": pushed,
}


def _trial(body: bytes) -> Answer:
    return Answer(path="", status=200, headers=(("Content-Type", "application/json"),), body=body)


def stands_alone(fault: Fault) -> bool:
    """Whether what comes with the fault is the same whatever the service would have said, or is nothing."""
    one, other = (fault.change(_trial(body), ()) for body in (b"{}", b"[]"))
    if one is None or other is None:
        return False
    return one.body == other.body or one.sent == 0 or one.wait >= LONG


def is_refusal(fault: Fault) -> bool:
    """Whether it is one that nobody gives who has passed the request on."""
    answer = fault.change(_trial(b"{}"), ())
    return answer is not None and 300 <= answer.status < 500


def with_reach(strike: Strike, chance: random.Random) -> Strike:
    """Let a request that gets something else in the place of its answer reach the service, or not, by chance."""
    alone = stands_alone(strike.fault)
    strike.reaches = not is_refusal(strike.fault) and (not alone or chance.random() < 0.5)
    return strike


async def one(bench: Bench, case: str, number: int) -> Run:
    """Run a way with one fault or several; chosen anew where nothing was hit."""
    chance = bench.chance
    while True:
        service = chance.choice([*bench.expected])
        if case == "download":
            service = "complero"
        elif case == "push, twice":
            service = chance.choice(WRITING)
        some = chance.sample(FAULTS, chance.choice([1, 1, 2, 3]))
        strikes = [bench.strike(fault, service) for fault in some]
        for strike in strikes:
            if case not in (
                "fetch_to, then open",
                "plan, then fetch",
                "spool, the same call, replay",
            ):
                strike.path = ""
                strike.skip = chance.choice([0, 0, 0, 1, 3, 6])
        done = await _tried(bench, case, service, strikes)
        if any(strike.hits for strike in strikes):
            return done


async def _tried(bench: Bench, case: str, service: str, strikes: Sequence[Strike]) -> Run:
    if case != "push, twice":
        return await _through(bench, case, service, strikes)
    for strike in strikes:
        with_reach(strike, bench.chance)
    # a world of its own: it is changed
    async with crmlab.sandbox(rows=30, seed=3, services=[service]) as sandbox:
        own = Bench(sandbox=sandbox, chance=bench.chance)
        return await _through(own, case, service, strikes)


async def _through(bench: Bench, case: str, service: str, strikes: Sequence[Strike]) -> Run:
    with tempfile.TemporaryDirectory() as place:
        async with Proxy(bench.sandbox.url, strikes) as proxy:
            account = bench.account(service, proxy.url)
            tried = WAYS[case](bench, account, proxy, Path(place))
            return await timed(tried, case, service, strikes)


async def tortured(bench: Bench, runs: int) -> list[Run]:
    """Run so many, each way as often as the others."""
    places = asyncio.Semaphore(AT_ONCE)
    cases = [*WAYS]

    async def placed(number: int, share: Bench) -> Run:
        async with places:
            return await one(share, cases[number % len(cases)], number)

    return [*await asyncio.gather(*map(placed, range(runs), bench.shares(runs)))]


async def _all(runs: int, seed: int) -> list[Run]:
    async with opened(seed) as bench:
        return await tortured(bench, runs)


def main() -> int:
    """Print the table; return 1 where a run went wrong."""
    numbers = [int(argument) for argument in sys.argv[1:]]
    runs, seed = (numbers + [70, random.randrange(2**32)][len(numbers) :])[:2]
    done = asyncio.run(_all(runs, seed))
    show(done, seed)
    return int(any(each.outcome in WRONG for each in done))


if __name__ == "__main__":
    sys.exit(main())
