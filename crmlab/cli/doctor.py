"""``crmlab doctor``: whether the credentials work, and what is assumed of each service."""

from __future__ import annotations

import argparse

import crmlab
from crmlab import providers
from crmlab.accounts import credentials
from crmlab.cli.arguments import Commands
from crmlab.cli.output import INCOMPLETE, OK
from crmlab.connector import Provider
from crmlab.errors import CredentialError, CrmlabError


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "doctor",
        help="check credentials against each API, list the assumptions in use",
        description="Send each API its cheapest read with the credentials found, say what answered or which variable "
        "is missing, and list what the vendor does not document and crmlab assumes.",
        epilog="example: crmlab doctor onepagecrm complero",
    )
    parser.add_argument("providers", nargs="*", metavar="PROVIDER", help="default: all")
    parser.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    """Ask each service and print what it says; return the exit code."""
    code = OK
    for name in options.providers or providers.registry():
        provider = providers.provider(name)
        try:
            state = await _state(provider)
        except CrmlabError as error:
            state = f"FAILED: {error}"
            code = INCOMPLETE
        print(f"{provider.title}: {state}")
        for assumption in provider.assumptions:
            print(f"  assumed, documented nowhere: {assumption}")
    return code


async def _state(provider: Provider) -> str:
    """Return what the service answers, or which variables are missing."""
    try:
        return await crmlab.check(crmlab.Account(provider.name))
    except CredentialError:
        names = [credentials.variable(provider, field) for field in provider.fields if not field.default]
        return f"no credentials: set {', '.join(names)}"
