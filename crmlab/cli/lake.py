"""``crmlab lake``: what a lake holds, what changed in it, and what looks after it."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from crmlab.cli.arguments import Commands
from crmlab.cli.output import INCOMPLETE, OK, print_frame
from crmlab.cli.refresh import add_accounts, add_cluster, add_lake, asked, show
from crmlab.lake import Lake

Run = Callable[[argparse.Namespace], object]


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "lake",
        help="say what a lake holds and what changed; find deletions; keep it small",
        description="Work with a lake that crmlab refresh keeps: a folder, or an address such as "
        "s3://bucket/lake.",
        epilog="example: crmlab lake status warehouse/, or crmlab lake changes warehouse/ --since "
        "2026-10-01",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _add(actions, "status", _status, "up to when each list is known")

    changes = _add(actions, "changes", _changes, "show what was added, changed and deleted")
    changes.add_argument(
        "--since", required=True, metavar="TIME", help="2026-01-31, or a time with its zone"
    )
    changes.add_argument(
        "--table", metavar="TABLE", help="each change of this table, instead of how many there are"
    )

    sweep = _add(
        actions, "sweep", _sweep, "find what was deleted at the services, by reading all ids"
    )
    add_accounts(sweep)
    add_cluster(sweep)

    _add(actions, "compact", _compact, "bring the small files of many refreshes together")

    vacuum = _add(actions, "vacuum", _vacuum, "remove what was superseded long ago")
    vacuum.add_argument(
        "--keep", default="90d", metavar="AGE", help="how much of the past stays (default: 90d)"
    )

    erase = _add(actions, "erase", _erase, "take one person out of all tables, versions and files")
    erase.add_argument(
        "person", metavar="PERSON", help="an e-mail address, a telephone number, or a contact"
    )
    erase.add_argument(
        "--region", metavar="CODE", help="country of telephone numbers without +: DE"
    )
    erase.add_argument(
        "--yes", action="store_true", help="take it out; without it the lake stays as it is"
    )


def _add(actions: Commands, name: str, run: Run, help: str) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
    add_lake(parser)
    parser.set_defaults(run=run)
    return parser


def _status(options: argparse.Namespace) -> int:
    print_frame(Lake(options.lake).status())
    return OK


def _changes(options: argparse.Namespace) -> int:
    lake = Lake(options.lake)
    # a name that is misspelt has no changes either
    if options.table is not None:
        lake.scan(options.table)
    changes = lake.changes(options.since)
    if options.table is None:
        print_frame(changes.summary)
    elif options.table in changes:
        print_frame(changes[options.table])
    else:
        print(f"Nothing changed in {options.table} since {changes.since:%Y-%m-%d %H:%M} UTC.")
    return OK


async def _sweep(options: argparse.Namespace) -> int:
    lake = Lake(options.lake)
    accounts, table_names = asked(lake, options)
    refreshed = await lake.sweep(accounts, *table_names, cluster=options.cluster)
    show(refreshed, what="sweep")
    if refreshed.complete:
        return OK
    return INCOMPLETE


def _compact(options: argparse.Namespace) -> int:
    print_frame(Lake(options.lake).compact())
    return OK


def _vacuum(options: argparse.Namespace) -> int:
    print_frame(Lake(options.lake).vacuum(options.keep))
    return OK


def _erase(options: argparse.Namespace) -> int:
    # a command is typed fast: without --yes it only shows what it would do
    erased = Lake(options.lake).erase(
        options.person, region=options.region, dry_run=not options.yes
    )
    print_frame(erased)
    if not options.yes:
        print("Nothing was changed: with --yes these rows and values are taken out.")
    return OK
