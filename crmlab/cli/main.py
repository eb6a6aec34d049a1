"""The command line: what a notebook does, without one.

Exit codes: 0 all complete; 1 something failed or is incomplete; 2 the question cannot be asked
(unknown table, missing credential, wrong option).
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

import crmlab
from crmlab import providers, report
from crmlab.accounts import credentials
from crmlab.cli.terminal import print_frame
from crmlab.errors import CredentialError, CrmlabError, PlanError, UsageError
from crmlab.results import FORMATS, Result
from crmlab.schema import TABLES

_OK, _INCOMPLETE, _WRONG = 0, 1, 2
_SUMMARY = ("account", "provider", "table", "rows", "rejected", "planned", "requests", "retries", "seconds", "complete")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console without Unicode still shows the rest
            stream.reconfigure(errors="replace")
    options = _parser().parse_args(arguments)
    try:
        code: int = asyncio.run(options.run(options))
    except (CredentialError, PlanError, UsageError) as error:
        code = _complain(error, _WRONG)
    except (CrmlabError, OSError) as error:
        code = _complain(error, _INCOMPLETE)
    except KeyboardInterrupt:
        code = 130
    return code


def _complain(error: Exception, code: int) -> int:
    print(f"crmlab: {error}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="crmlab",
        description=crmlab.__doc__,
        epilog="Credentials come from the environment or .env: crmlab doctor says which are missing. "
        "Exit codes: 0 complete, 1 failed or incomplete, 2 wrong question.",
    )
    parser.add_argument("--version", action="version", version=f"crmlab {crmlab.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    demo = commands.add_parser(
        "demo",
        help="fetch everything from an embedded sandbox: no account needed",
        description="Start the sandbox of all services on 127.0.0.1, fetch everything concurrently, write "
        "one Parquet and one CSV per table and report.html, and print what was done.",
        epilog="example: crmlab demo --rows 5000 --out demo/",
    )
    _world_options(demo)
    demo.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="where files go (default: out)")
    demo.set_defaults(run=_demo)

    fetch = commands.add_parser(
        "fetch",
        help="fetch tables of real accounts into files",
        description="Fetch tables from the accounts whose credentials the environment or .env holds.",
        epilog="example: crmlab fetch onepagecrm complero --tables deals consent_events --since 2026-01-01",
    )
    _question_options(fetch)
    fetch.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="where files go (default: out)")
    fetch.add_argument("--format", choices=FORMATS, default="parquet")
    fetch.add_argument("--report", action="store_true", help="write report.html too")
    fetch.add_argument(
        "--mask",
        action="store_true",
        help="tokens instead of names, addresses and texts; without rejected records; ids stay",
    )
    fetch.set_defaults(run=_fetch)

    plan = commands.add_parser(
        "plan",
        help="how many requests a fetch needs and how long they take",
        description="Count what there is with as few requests as possible, and say how many more a fetch needs, how "
        "they follow each other, how long they take, and the time that the services' limits allow.",
        epilog="example: crmlab plan onepagecrm --tables deals activities",
    )
    _question_options(plan)
    plan.set_defaults(run=_plan)

    sandbox = commands.add_parser(
        "sandbox",
        help="serve all services on 127.0.0.1 until Ctrl-C",
        description="Serve all services, filled with generated people, and print the accounts that open them.",
        epilog="example: crmlab sandbox --rows 10000 --latency 0.05 --rate-limits",
    )
    _world_options(sandbox)
    sandbox.add_argument("--port", type=int, default=0, help="default: any free one")
    sandbox.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="before each answer")
    sandbox.add_argument("--rate-limits", action="store_true", help="enforce the documented limits")
    sandbox.set_defaults(run=_sandbox)

    doctor = commands.add_parser(
        "doctor",
        help="check credentials against each API, list the assumptions in use",
        description="Send each API its cheapest read with the credentials found, say what answered or which variable "
        "is missing, and list what the vendor does not document and crmlab assumes.",
        epilog="example: crmlab doctor onepagecrm complero",
    )
    doctor.add_argument("providers", nargs="*", metavar="PROVIDER", help="default: all")
    doctor.set_defaults(run=_doctor)

    made = commands.add_parser(
        "report",
        help="make report.html from files that fetch wrote as Parquet",
        description="Make one self-contained HTML report from the Parquet files of a fetch.",
        epilog="example: crmlab report out/ --out monday.html",
    )
    made.add_argument("directory", type=Path, metavar="DIR")
    made.add_argument("--out", type=Path, metavar="FILE", help="default: DIR/report.html")
    made.add_argument("--mask", action="store_true", help="tokens instead of names, addresses and texts")
    made.set_defaults(run=_report)
    return parser


def _question_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("providers", nargs="+", metavar="PROVIDER", help=f"one of {', '.join(providers.registry())}")
    parser.add_argument(
        "--tables", nargs="*", default=[], metavar="TABLE", help=f"all if none; known: {', '.join(TABLES)}"
    )
    parser.add_argument("--since", help="changed or happened at or after: 2026-01-31, or a time with its zone")
    parser.add_argument("--until", help="changed or happened before")


def _world_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--world", choices=("generated", "maven"), default="generated", help="what the services hold")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the Maven CRM files (--world maven)")
    parser.add_argument("--rows", type=int, default=2000, metavar="N", help="people to generate (default: 2000)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="same seed, same people (default: 1)")


async def _demo(options: argparse.Namespace) -> int:
    async with crmlab.sandbox(options.world, rows=options.rows, seed=options.seed, data=options.data) as accounts:
        titles = ", ".join(account.provider.title for account in accounts)
        print(f"Sandbox of {titles} on {accounts.url}")
        for note in accounts.notes:
            print(f"  {note}")
        data = await crmlab.fetch(accounts)
    data.export(options.out, "parquet")
    data.export(options.out, "csv")
    made = data.report(options.out / "report.html")
    _print_summary(data.summary)  # after the files: a pipe that closes early must not cost them
    print(f"{len(data)} tables, one Parquet and one CSV each, in {options.out.resolve()}")
    print(f"Report: {made.resolve()}")
    return _verdict(data)


async def _fetch(options: argparse.Namespace) -> int:
    accounts = [crmlab.Account(name) for name in options.providers]
    period = {"since": options.since, "until": options.until}
    if (
        options.format == "parquet" and not options.report and not options.mask
    ):  # of any size: no table needs to fit in memory
        stored = await crmlab.fetch_to(options.out, accounts, *options.tables, **period)
        return _told(stored, list(stored.paths.values()), options.out)
    data = await crmlab.fetch(accounts, *options.tables, **period)
    written = data.export(options.out, options.format, mask=options.mask)
    if options.report:
        written.append(data.report(options.out / "report.html", mask=options.mask))
    return _told(data, written, options.out)


def _told(data: Result[Any], written: Sequence[Path], directory: Path) -> int:
    _print_summary(data.summary)
    print(f"{len(written)} files in {directory.resolve()}")
    return _verdict(data)


async def _plan(options: argparse.Namespace) -> int:
    accounts = [crmlab.Account(name) for name in options.providers]
    plan = await crmlab.plan(accounts, *options.tables, since=options.since, until=options.until)
    print_frame(plan.resources.drop("tables"))
    print()
    print_frame(plan.scopes)
    print(f"\n{plan}")
    return _OK


async def _sandbox(options: argparse.Namespace) -> int:
    async with crmlab.sandbox(
        options.world,
        rows=options.rows,
        seed=options.seed,
        data=options.data,
        latency=options.latency,
        rate_limits=options.rate_limits,
        port=options.port,
    ) as accounts:
        print("Serving until Ctrl-C. These keys open nothing but this sandbox:")
        for account in accounts:
            given = "".join(f", {name}={value!r}" for name, value in accounts.keys[account.provider.name].items())
            print(f"  crmlab.Account({account.provider.name!r}, base_url={account.base_url!r}{given})")
        sys.stdout.flush()
        await asyncio.Event().wait()
    return _OK


async def _doctor(options: argparse.Namespace) -> int:
    worst = _OK
    for name in options.providers or providers.registry():
        provider = providers.provider(name)
        try:
            state = await crmlab.check(crmlab.Account(name))
        except CredentialError:
            names = [credentials.variable(provider, field) for field in provider.fields if not field.default]
            state = f"no credentials: set {', '.join(names)}"
        except CrmlabError as error:
            state, worst = f"FAILED: {error}", _INCOMPLETE
        print(f"{provider.title}: {state}")
        for assumption in provider.assumptions:
            print(f"  assumed, documented nowhere: {assumption}")
    return worst


async def _report(options: argparse.Namespace) -> int:
    files = {path.stem: path for path in sorted(options.directory.glob("*.parquet"))}
    tables = {name: pl.read_parquet(path) for name, path in files.items() if name in TABLES}
    if not tables:
        raise PlanError(f"{options.directory} holds no table: crmlab fetch ... --out {options.directory} first")
    if "summary" not in files:
        raise PlanError(f"{options.directory} holds no summary.parquet, which crmlab fetch writes beside the tables")
    summary = pl.read_parquet(files["summary"])
    made = report.write(
        options.out or options.directory / "report.html",
        tables,
        summary,
        rejected=pl.read_parquet(files["rejected"]) if "rejected" in files else None,
        assumptions=providers.assumptions(summary["provider"].drop_nulls()),
        as_of=dt.datetime.fromtimestamp(files["summary"].stat().st_mtime, dt.UTC),
        mask=options.mask,
    )
    print(made)
    return _OK


def _print_summary(summary: pl.DataFrame) -> None:
    print_frame(summary.select(*_SUMMARY, "note"))


def _verdict(data: Result[Any]) -> int:
    for failure in data.failures:
        print(f"FAILED {failure}", file=sys.stderr)
    if not data.complete:
        print("Not complete: see the notes above.", file=sys.stderr)
    return _OK if data.complete else _INCOMPLETE
