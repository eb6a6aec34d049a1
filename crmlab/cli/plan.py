"""``crmlab plan``: what a fetch will cost, before it is made."""

from __future__ import annotations

import argparse

import crmlab
from crmlab.cli.arguments import Commands, add_question
from crmlab.cli.output import OK, print_frame


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "plan",
        help="how many requests a fetch needs and how long they take",
        description="Count what there is with as few requests as possible, and say how many more "
        "a fetch needs, how "
        "they follow each other, how long they take, and the time that the services' limits allow.",
        epilog="example: crmlab plan onepagecrm --tables deals activities",
    )
    add_question(parser)
    parser.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    """Ask for first pages and print the plan; return the exit code."""
    accounts = [crmlab.Account(provider_name) for provider_name in options.providers]
    fetch_plan = await crmlab.plan(
        accounts, *options.tables, since=options.since, until=options.until
    )
    # lists of tables would make the lines too long for a terminal
    print_frame(fetch_plan.resources.drop("tables"))
    print()
    print_frame(fetch_plan.scopes)
    print(f"\n{fetch_plan}")
    return OK
