"""``crmlab about``: what is held on one person."""

from __future__ import annotations

import argparse
from pathlib import Path

import crmlab
from crmlab.cli.arguments import Commands, add_person
from crmlab.cli.output import OK, print_frame


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "about",
        help="gather what is held on one person in files that fetch wrote",
        description="Write about.json and about.html: everything that the files of a fetch hold "
        "on one person, and by "
        "what it was found.",
        epilog="example: crmlab about out/ ann@example.com --out answer/",
    )
    add_person(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of the page and the JSON file",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write what is held and print where it is; return the exit code."""
    findings = crmlab.about(options.directory, options.person, region=options.region)
    print_frame(findings.summary)
    for written_file in findings.write(options.out):
        print(written_file)
    return OK
