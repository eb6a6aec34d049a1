"""``crmlab operations``: what a service can be asked, with the arguments of each call."""

from __future__ import annotations

import argparse

from crmlab import providers
from crmlab.cli.arguments import Commands
from crmlab.cli.output import OK
from crmlab.connector import Operation


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "operations",
        help="list every documented operation of a service",
        description="Print a line for each operation that the vendor documents: its name, its arguments "
        "(* must be given), and what it changes. Look at one that changes something with crmlab call --dry-run first.",
        epilog="example: crmlab operations onepagecrm --contains note",
    )
    parser.add_argument(
        "provider", metavar="PROVIDER", help=f"one of {', '.join(providers.registry())}"
    )
    parser.add_argument(
        "--contains", default="", metavar="TEXT", help="only those with this in their name"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the operations; return the exit code."""
    for operation in providers.provider(options.provider).operations():
        if options.contains in operation.name:
            print(_line(operation))
    return OK


def _line(operation: Operation) -> str:
    arguments = [f"{each.name}{'*' if each.required else ''}" for each in operation.arguments()]
    marks = [
        name
        for name in ("writes", "destructive", "dangerous", "deprecated")
        if getattr(operation, name)
    ]
    told = f"  [{', '.join(marks)}]" if marks else ""
    return f"{operation.name}({', '.join(arguments)}){told}"
