"""Fetches through a proxy that spoils answers: ``python -m tests.torture.faulty [RUNS] [SEED]``.

Each fault of `fault_table` alone, then mixtures of several. What came is compared with a fetch without a fault, and
each run is one of

- exact: the same rows;
- told: a failure or a list that is marked as not complete, which names what it is about and the true reason;
- silent: other rows, and nothing told;
- hung: over its time;
- odd: an exception that is none of crmlab's, a fault of crmlab's own, or another reason than the true one;
- unseen: other rows of a list that nothing counts, by a fault that no client can notice.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import random
import re
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest import mock

import polars as pl
import trustme
from polars.testing import assert_frame_equal

import crmlab
from crmlab.errors import CrmlabError, InternalError
from crmlab.sandbox.server import Sandbox
from tests.torture.fault_table import FAULTS, MAX_BODY, NO_LIST_IS_EMPTY, NOTHING_THERE, Fault
from tests.torture.proxy import Proxy, Strike

OUTCOMES = ("exact", "told", "silent", "hung", "odd", "unseen")
#: those that must not be
WRONG = ("silent", "hung", "odd")
#: seconds after which a run hangs; every limit of `TIMEOUTS` is far below, also of a run that fetches twice
PATIENCE = 150.0
TIMEOUTS = crmlab.Timeouts(
    answer=3.0, connect=2.0, stall=8.0, total=40.0, max_body=MAX_BODY, first_wait=0.005
)
LIMITS = crmlab.Limits(concurrency=10)
ROWS = 250
#: runs side by side: most of a run is waiting
AT_ONCE = 4
#: a strike that goes on to the end
FOR_GOOD = 10_000
MIXTURES = "mixtures of 2 to 4"
#: a pattern of nothing
NEVER = "(?!)"
_STARVED = r"did not answer in time|stopped before its end"


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a fetch of one service brings without a fault, and the paths that it asks for."""

    frames: Mapping[str, pl.DataFrame]
    asked: Sequence[str]
    counted: frozenset[str]
    tables_of: Mapping[str, frozenset[str]]


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run, and how it ended."""

    case: str
    service: str
    outcome: str
    words: str
    seconds: float
    strikes: Sequence[Strike] = ()


@dataclass(kw_only=True)
class Bench:
    """The sandbox, what each service brings, and where chance comes from."""

    sandbox: Sandbox
    chance: random.Random
    expected: dict[str, Expected] = field(default_factory=dict)

    def shares(self, runs: int) -> list[Bench]:
        """Return this bench for each of so many runs, with a chance of its own.

        What a run tries must not depend on which others ended before it: the same seed tries the same.
        """
        return [replace(self, chance=random.Random(self.chance.random())) for _ in range(runs)]

    async def measure(self) -> None:
        """Fetch each service once without a fault."""
        for account in self.sandbox:
            async with Proxy(self.sandbox.url) as proxy:
                data = await self.fetched(account.provider.name, proxy.url)
                assert data.complete, data.summary
                self.expected[account.provider.name] = _expected(data, proxy.asked)

    def account(self, service: str, url: str) -> crmlab.Account:
        """Return the account of a service at another address."""
        base_url = self.sandbox.account(service).base_url.replace(self.sandbox.url, url)
        return crmlab.Account(service, base_url=base_url, facts={}, **self.sandbox.keys[service])

    async def fetched(self, service: str, url: str) -> crmlab.Fetched:
        """Fetch all tables of a service at another address."""
        asked = self.account(service, url)
        return await crmlab.fetch(asked, limits=LIMITS, timeouts=TIMEOUTS, progress=False)

    def strike(self, fault: Fault, service: str) -> Strike:
        """Choose which answers a fault hits."""
        asked = self.expected[service].asked
        skip = self.chance.choice([0, self.chance.randrange(len(asked))])
        path = self.chance.choice(["", *asked])
        return Strike(
            fault=fault, skip=skip, times=self.chance.choice([1, 1, 2, FOR_GOOD]), path=path
        )


def _expected(data: crmlab.Fetched, asked: Sequence[str]) -> Expected:
    summary = data.summary
    counted = summary.filter(pl.col("expected").is_not_null())["resource"]
    tables: dict[str, set[str]] = {}
    for resource, table in summary.select("resource", "table").iter_rows():
        tables.setdefault(table, set()).add(resource)
    return Expected(
        frames={name: data[name] for name in data},
        asked=sorted(asked),
        counted=frozenset(counted),
        tables_of={table: frozenset(resources) for table, resources in tables.items()},
    )


async def run(bench: Bench, case: str, service: str, strikes: Sequence[Strike]) -> Run:
    """Fetch once with these faults."""
    async with Proxy(bench.sandbox.url, strikes) as proxy:
        return await ended(bench, case, service, proxy.url, strikes)


async def ended(
    bench: Bench,
    case: str,
    service: str,
    url: str,
    strikes: Sequence[Strike],
    *,
    reason: str = NEVER,
) -> Run:
    """Fetch once at an address and say how it ended."""

    async def fetched() -> tuple[str, str]:
        data = await bench.fetched(service, url)
        faults = [strike.fault for strike in strikes if strike.hits]
        outcome, words = judged(data, bench.expected[service], faults, reason)
        if outcome == "silent":  # an event may have begun by the clock since it was measured
            await bench.measure()
            outcome, words = judged(data, bench.expected[service], faults, reason)
        return outcome, words

    return await timed(fetched(), case, service, strikes, reason=reason)


async def timed(
    tried: Awaitable[tuple[str, str]],
    case: str,
    service: str,
    strikes: Sequence[Strike],
    *,
    reason: str = NEVER,
) -> Run:
    """Await what returns an outcome and words, and say how it ended."""
    started = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE):
            outcome, words = await tried
    except CrmlabError as error:
        faults = [strike.fault for strike in strikes if strike.hits]
        outcome, words = judged_failures([error], faults, reason)
    except TimeoutError:
        outcome, words = "hung", ""
    except Exception as error:  # noqa: BLE001  # whatever it is, it is what is looked for
        outcome, words = "odd", f"{type(error).__name__}: {error}"
    seconds = time.monotonic() - started
    return Run(
        case=case, service=service, outcome=outcome, words=words, seconds=seconds, strikes=strikes
    )


def judged(
    data: crmlab.Fetched, expected: Expected, faults: Sequence[Fault], reason: str
) -> tuple[str, str]:
    """Say what came of a fetch that returned."""
    different = differences(expected.frames, data)
    if data.complete and not different:
        return "exact", ""
    summary = data.summary
    incomplete = summary.filter(~pl.col("complete"))
    hidden = [table for table in different if not _is_told(table, expected, data)]
    if hidden:
        differing = [resource for table in hidden for resource in expected.tables_of.get(table, ())]
        is_unseen = any(fault.unseen for fault in faults) and not expected.counted.intersection(
            differing
        )
        return (
            "unseen" if is_unseen else "silent"
        ), f"{hidden} of {summary.filter(pl.col('note') != '')['note'].to_list()}"
    notes = [*incomplete["note"], *_noted(different, data)["note"]]
    outcome, words = judged_failures(data.failures, faults, reason, notes=notes)
    return outcome, words


def _noted(tables: Sequence[str], data: crmlab.Fetched) -> pl.DataFrame:
    """Return the lines of the summary that tell what was taken for nothing: a 404 to a look-up by id, no list."""
    tells_nothing = pl.col("note").str.contains(f"{NOTHING_THERE}|{NO_LIST_IS_EMPTY}")
    is_noted = pl.col("table").is_in(tables) & tells_nothing
    return data.summary.filter(is_noted)


def _is_told(table: str, expected: Expected, data: crmlab.Fetched) -> bool:
    """Whether a list that fills a table is marked or has a note of what is not there.

    Where no row is missing, any other list that is looked up in it may be marked instead.
    """
    if _noted([table], data).height:
        return True
    lists = data.summary.filter(pl.col("table") == table)
    has_all_rows = table in data and data[table].height == expected.frames[table].height
    return not lists["complete"].all() or lists.is_empty() or (has_all_rows and not data.complete)


def judged_failures(
    failures: Iterable[CrmlabError], faults: Sequence[Fault], reason: str, notes: Sequence[str] = ()
) -> tuple[str, str]:
    """Say whether failures and notes name what they are about, and a true reason."""
    texts = [*map(str, failures), *notes]
    words = " | ".join(dict.fromkeys(texts))
    strange = [error for error in failures if isinstance(error, InternalError) or not error.where]
    reasons = "|".join(filter(None, (reason, _STARVED, *(fault.reason for fault in faults))))
    if strange or not texts or not any(re.search(reasons, text) for text in texts):
        return "odd", words
    return "told", words


def differences(
    expected: Mapping[str, pl.DataFrame], found: Mapping[str, pl.DataFrame]
) -> list[str]:
    """Return the names of tables that differ."""
    wrong = [*sorted(expected.keys() ^ set(found))]
    for name in expected.keys() & set(found):
        try:
            assert_frame_equal(expected[name], found[name], check_row_order=False)
        except AssertionError:
            wrong.append(name)
    return wrong


# ---- what has no answer ---------------------------------------------------------------------------------------


#: what must be said of each
NO_ANSWER = {
    "no such host": r"cannot reach nowhere\.invalid",
    "no such port": r"cannot reach 127\.0\.0\.1:1 ",
    "https where there is none": r"does not speak TLS|connection to .* failed",
    "a certificate of one's own": r"is self-signed; .* SSL_CERT_FILE",
    "a certificate of an authority that nobody knows": r"that this machine does not trust; .* SSL_CERT_FILE",
    "a certificate that has expired": r"has expired; look at the clock",
    "a certificate that is not valid yet": r"is not valid yet; look at the clock",
    "a certificate of another host": r"is for another host; check base_url",
}


async def unreachable(bench: Bench, services: Sequence[str] | None = None) -> list[Run]:
    """Fetch where there is no host, no server, or a certificate that must not be trusted."""
    with tempfile.TemporaryDirectory() as place:
        certificates = _certificates(Path(place))
        # the authority is trusted, so that nothing but the fault is wrong
        with mock.patch.dict(os.environ, SSL_CERT_FILE=str(Path(place) / "authority.pem")):
            return [
                await _unreachable(bench, case, service, certificates.get(case))
                for service in services or bench.expected
                for case in NO_ANSWER
            ]


async def _unreachable(
    bench: Bench, case: str, service: str, certificate: ssl.SSLContext | None
) -> Run:
    addresses = {"no such host": "https://nowhere.invalid", "no such port": "http://127.0.0.1:1"}
    if case in addresses:
        return await ended(bench, case, service, addresses[case], (), reason=NO_ANSWER[case])
    async with Proxy(bench.sandbox.url, tls=certificate) as proxy:
        url = proxy.url.replace("http:", "https:")
        return await ended(bench, case, service, url, (), reason=NO_ANSWER[case])


def _certificates(folder: Path) -> dict[str, ssl.SSLContext]:
    """Return what a server shows in each case, and write the authority that is trusted."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    now = dt.datetime.now(dt.UTC)
    day = dt.timedelta(days=1)
    issued = {
        "a certificate of an authority that nobody knows": trustme.CA().issue_cert("127.0.0.1"),
        "a certificate that has expired": authority.issue_cert(
            "127.0.0.1", not_before=now - 2 * day, not_after=now - day
        ),
        "a certificate that is not valid yet": authority.issue_cert(
            "127.0.0.1", not_before=now + day, not_after=now + 2 * day
        ),
        "a certificate of another host": authority.issue_cert("other.example.com"),
    }
    contexts = {"a certificate of one's own": _own_certificate(folder)}
    for case, certificate in issued.items():
        contexts[case] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(contexts[case])
    return contexts


def _own_certificate(folder: Path) -> ssl.SSLContext:
    key = folder / "key.pem"
    certificate = folder / "certificate.pem"
    what = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    subprocess.run(
        [*what, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


# ---- many -----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def opened(seed: int, *, rows: int = ROWS) -> AsyncIterator[Bench]:
    """Serve a world, and know what each service brings of it."""
    chance = random.Random(seed)  # no secret
    async with crmlab.sandbox(rows=rows, seed=3) as sandbox:
        bench = Bench(sandbox=sandbox, chance=chance)
        await bench.measure()
        yield bench


async def tortured(bench: Bench, runs: int, *, faults: Sequence[Fault] = FAULTS) -> list[Run]:
    """Run so many fetches: two in three with one fault each, the others with several."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, share: Bench) -> Run:
        async with places:
            return await chosen(share, faults, number, runs)

    return [*await asyncio.gather(*map(one, range(runs), bench.shares(runs)))]


async def chosen(bench: Bench, faults: Sequence[Fault], number: int, runs: int) -> Run:
    """Run one of so many; chosen anew where the service has nothing that the fault can hit."""
    is_mixture = number >= 2 * runs // 3
    while True:
        service = bench.chance.choice([*bench.expected])
        some = bench.chance.sample(faults, min(len(faults), bench.chance.randint(2, 4)))
        strikes = [
            bench.strike(fault, service)
            for fault in (some if is_mixture else [faults[number % len(faults)]])
        ]
        case = MIXTURES if is_mixture else strikes[0].fault.name
        done = await run(bench, case, service, strikes)
        if any(strike.hits for strike in strikes):
            return done


def table(runs: Iterable[Run]) -> pl.DataFrame:
    """Return a row for each case, those that are wrong first among columns of their own."""
    frame = pl.DataFrame(
        [(each.case, each.outcome, each.seconds) for each in runs],
        schema=["case", "outcome", "seconds"],
        orient="row",
    )
    counts = [(pl.col("outcome") == outcome).sum().alias(outcome) for outcome in OUTCOMES]
    cases = frame.group_by("case").agg(
        pl.len().alias("runs"), *counts, pl.col("seconds").max().round(1).alias("slowest")
    )
    known = [*(fault.name for fault in FAULTS), MIXTURES, *NO_ANSWER]
    places = {name: place for place, name in enumerate(known)}
    return cases.sort(
        pl.col("case").replace_strict(places, default=len(known), return_dtype=pl.Int64), "case"
    )


async def spoiled(runs: int, seed: int) -> list[Run]:
    """Spoil so many fetches, and those that get no answer."""
    async with opened(seed) as bench:
        return [*await tortured(bench, runs), *await unreachable(bench)]


def main() -> int:
    """Print the table; return 1 where a run went wrong."""
    numbers = [int(argument) for argument in sys.argv[1:]]
    runs, seed = (numbers + [500, random.randrange(2**32)][len(numbers) :])[:2]
    done = asyncio.run(spoiled(runs, seed))
    show(done, seed)
    return int(any(each.outcome in WRONG for each in done))


def show(done: Sequence[Run], seed: int) -> None:
    """Print each run that went wrong, and the table."""
    for each in done:
        if each.outcome in WRONG:
            print(
                f"{each.outcome}, {each.service}: {'; '.join(map(str, each.strikes)) or each.case}\n    {each.words}"
            )
    with pl.Config(
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
        fmt_str_lengths=70,
    ):
        print(f"seed {seed}", table(done), sep="\n")


if __name__ == "__main__":
    sys.exit(main())
