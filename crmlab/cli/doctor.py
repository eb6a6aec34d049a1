"""``crmlab doctor``: whether the credentials work, and whether what is assumed of each service is true."""

from __future__ import annotations

import argparse
import json

import crmlab
from crmlab import providers
from crmlab.cli.arguments import Commands, add_flag
from crmlab.cli.output import INCOMPLETE, OK
from crmlab.connector import Provider
from crmlab.errors import CredentialError, CrmlabError, UsageError
from crmlab.fetching import max_requests


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "doctor",
        help="check credentials against each API, list or test the assumptions in use",
        description="Send each API its cheapest read with the credentials found, say what answered or which variable "
        "is missing, and list what crmlab assumes because the vendor does not document it.",
        epilog="example: crmlab doctor onepagecrm complero --probe",
    )
    parser.add_argument("providers", nargs="*", metavar="PROVIDER", help="default: all")
    add_flag(
        parser,
        "--probe",
        "test with a few reads, which change nothing, whether what is assumed is true for "
        "this account",
    )
    parser.add_argument(
        "--base-url",
        metavar="URL",
        help="ask one service at an address of your own: a proxy, the sandbox (plain http only "
        "for loopback addresses)",
    )
    parser.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    """Ask each service and print what it says; return the exit code."""
    provider_names = options.providers or [*providers.registry()]
    # a key must not be sent to the address of another service
    if options.base_url and len(provider_names) != 1:
        raise UsageError(
            "--base-url is the address of one service: name that one, as in crmlab doctor relenta"
        )
    worst_code = OK
    for provider_name in provider_names:
        provider_code = await _examined(providers.provider(provider_name), options)
        worst_code = max(worst_code, provider_code)
    return worst_code


async def _examined(provider: Provider, options: argparse.Namespace) -> int:
    """Print what the service answers and what is assumed of it, or what a probe says of that; return the code."""
    try:
        account = crmlab.Account(provider.name, base_url=options.base_url)
    except CredentialError as error:
        # who names an address means this service
        if options.base_url:
            raise
        print(error)  # it names the service, and the variables that are missing
        _print_assumptions(provider)
        # nobody has accounts at all services: one without is no failure
        return OK

    exit_code = OK
    try:
        print(f"{provider.title}: {await crmlab.check(account)}")
        if options.probe:
            exit_code = await _probed(account)
    except CrmlabError as error:
        print(f"{provider.title}: FAILED: {error}")
        exit_code = INCOMPLETE
    # a probe has printed them with what it found
    if not options.probe:
        _print_assumptions(provider)
    return exit_code


async def _probed(account: crmlab.Account) -> int:
    print(
        f"Testing {len(account.provider.probes())} assumptions with {max_requests(account)} reads "
        "at most."
    )
    findings = await crmlab.probe(account)
    print(f"{findings.text()}\n")
    adopted_facts = findings.facts.get(account.name)
    if adopted_facts:  # what was adopted ends with this process
        variable = f"CRMLAB_{account.provider.name}_FACTS".upper()
        facts_text = json.dumps(adopted_facts)
        print(f"To read {account.provider.title} so from here on, set {variable}='{facts_text}'\n")
    if findings.count("refuted"):
        return INCOMPLETE
    return OK


def _print_assumptions(provider: Provider) -> None:
    for assumption in provider.assumptions:
        print(f"  assumed, documented nowhere: {assumption}")
