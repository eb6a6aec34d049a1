"""``crmlab spool``: what can be done with the answers that a fetch kept."""

from __future__ import annotations

import argparse
from pathlib import Path

from crmlab.cli.arguments import Commands
from crmlab.cli.output import OK
from crmlab.fetching import redact


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "spool",
        help="make a copy of kept answers without personal values, to be sent with a report of a "
        "fault",
        description="Work with the folder that was named as --spool of a fetch.",
        epilog="example: crmlab spool redact spool/ --out for-the-issue/",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    redacting = actions.add_parser(
        "redact",
        help="copy it with every text replaced by another of the same shape",
        description="Write a copy in which names, addresses, texts, ids and larger numbers are others of the same "
        "shape. crmlab.replay reads it as it reads the folder itself.",
    )
    redacting.add_argument("directory", type=Path, metavar="DIR")
    redacting.add_argument(
        "--out", type=Path, metavar="DIR", help="a new folder (default: DIR-redacted)"
    )
    redacting.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the copy and print where it is; return the exit code."""
    redacted_copy = redact(options.directory, options.out)
    # what is in free text of a service nobody can know
    print(
        f"{redacted_copy.resolve()} holds the answers without personal values: look into it "
        "before you send it"
    )
    return OK
