"""``crmlab erase``: one person taken out of files."""

from __future__ import annotations

import argparse

import crmlab
from crmlab.cli.arguments import Commands, add_flag, add_person
from crmlab.cli.output import OK, print_frame


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "erase",
        help="take one person out of files that fetch wrote",
        description="Show what the files of a fetch hold on one person, and with --yes take it "
        "out of them.",
        epilog="example: crmlab erase out/ ann@example.com, then the same with --yes",
    )
    add_person(parser)
    add_flag(parser, "--yes", "take it out; without it the files stay as they are")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what was taken, or would be; return the exit code."""
    # a command is typed fast: without --yes it only shows what it would do
    erased = crmlab.erase(
        options.directory, options.person, region=options.region, dry_run=not options.yes
    )
    print_frame(erased)
    if not options.yes:
        print("Nothing was changed: with --yes these rows and values are taken out.")
    return OK
