"""``crmlab operations``: what a service can be asked, with the arguments of each call."""

from __future__ import annotations

import argparse

from crmlab import providers
from crmlab.cli.arguments import Commands, add_provider
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
    add_provider(parser)
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
    arguments = []
    for argument in operation.arguments():
        if argument.required:
            arguments.append(f"{argument.name}*")
        else:
            arguments.append(argument.name)
    line_text = f"{operation.name}({', '.join(arguments)})"
    attributes = ("writes", "destructive", "dangerous", "deprecated")
    warnings = [attribute for attribute in attributes if getattr(operation, attribute)]
    # reads, which most are, stand without
    if warnings:
        line_text += f"  [{', '.join(warnings)}]"
    return line_text
