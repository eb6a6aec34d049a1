"""``crmlab demo``: everything of an embedded sandbox, fetched into files."""

from __future__ import annotations

import argparse

import crmlab
from crmlab.atomic_files import check_folder
from crmlab.cli.arguments import Commands, add_flag, add_out, add_world
from crmlab.cli.output import exit_code, print_summary


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "demo",
        help="fetch everything from an embedded sandbox: no account needed",
        description="Start the sandbox of all services on 127.0.0.1, fetch everything "
        "concurrently, write "
        "one Parquet and one CSV per table and report.html, and print what was done.",
        epilog="example: crmlab demo --rows 5000 --out demo/",
    )
    add_world(parser)
    add_out(parser)
    add_flag(
        parser,
        "--lake",
        "refresh a lake twice, around a day of changes, and show what changed; needs pip "
        "install deltalake",
    )
    parser.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    """Fetch, write and print; return the exit code."""
    if options.lake:
        from crmlab.cli import demo_lake  # noqa: PLC0415  # it loads every analysis

        return await demo_lake.run(options)
    # known before the services have been asked for anything
    check_folder(options.out)
    async with crmlab.sandbox(
        options.world,
        rows=options.rows,
        seed=options.seed,
        days_ago=options.days_ago,
        data=options.data,
    ) as accounts:
        titles = ", ".join(account.provider.title for account in accounts)
        print(f"Sandbox of {titles} on {accounts.url}")
        for note in accounts.notes:
            print(f"  {note}")
        fetched = await crmlab.fetch(accounts)
    # the sandbox is not needed any more: what follows reads memory alone
    fetched.export(options.out, "parquet")
    fetched.export(options.out, "csv")
    report_file = fetched.report(options.out / "report.html")
    print_summary(fetched)  # after the files: a pipe that closes early must not cost them
    print(f"{len(fetched)} tables, one Parquet and one CSV each, in {options.out.resolve()}")
    print(f"Report: {report_file.resolve()}")
    return exit_code(fetched)
