"""``crmlab call``: one documented operation, its answer as JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable

import crmlab
from crmlab import providers
from crmlab.cli.arguments import Commands, add_flag, add_named_values, add_provider, named_values
from crmlab.cli.output import OK
from crmlab.connector import Provider
from crmlab.errors import UsageError

#: arguments of `crmlab.call` itself that have no meaning in a command
_OPTIONS = frozenset({"dry_run", "allow_destructive", "allow_dangerous"})
_ONLY_IN_PYTHON = frozenset({"account", "operation", "as_frame", "as_model", "timeouts"}) | _OPTIONS


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "call",
        help="call one documented operation and print its answer as JSON",
        description="Send one request and print the answer. crmlab operations lists the names and "
        "their arguments. "
        "What changes something is sent once: look at it with --dry-run before. What a service "
        "gives only once needs "
        "--allow-destructive and spool=FOLDER.",
        epilog="examples: crmlab call onepagecrm list_deals status=won per_page=5; "
        """crmlab call onepagecrm update_contact contact_id=... body='{"job_title": "CEO"}' --dry-run""",
    )
    add_provider(parser)
    parser.add_argument("operation", metavar="OPERATION")
    add_named_values(parser, "arguments", "a value may be JSON, such as [1,2] or true")
    add_flag(parser, "--dry-run", "print the request without its secrets; send nothing")
    add_flag(
        parser, "--allow-destructive", "allow deleting, and reading what can be read only once"
    )
    add_flag(parser, "--allow-dangerous", "allow operations on keys, users and accounts")
    parser.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    """Call the operation and print what it answers; return the exit code."""
    arguments = named_values(options.arguments)
    _check_names(arguments)
    provider = providers.provider(options.provider)
    # what is printed stays in the terminal, in its history, and in the logs of a scheduler
    if not options.dry_run and _gives_secret(provider, options.operation):
        raise UsageError(
            f"{options.operation} answers with a new secret, which is never printed: use crmlab.call in Python"
        )
    account = crmlab.Account(provider.name)
    answer = await crmlab.call(
        account,
        options.operation,
        dry_run=options.dry_run,
        allow_destructive=options.allow_destructive,
        allow_dangerous=options.allow_dangerous,
        **arguments,
    )
    if options.dry_run:
        print(answer)
        return OK
    # bytes would leave a terminal in disorder
    if isinstance(answer, bytes):
        raise UsageError(f"{options.operation} answers with a file: use crmlab.download in Python")
    print(json.dumps(answer, ensure_ascii=False, indent=2))
    return OK


def _gives_secret(provider: Provider, operation_name: str) -> bool:
    for operation in provider.operations():
        if operation.name == operation_name:
            return operation.gives_secret
    # an operation of no such name is refused where it is called
    return False


def _check_names(arguments: Iterable[str]) -> None:
    """Refuse arguments that are those of `crmlab.call` in Python alone."""
    for argument_name in arguments:
        if argument_name not in _ONLY_IN_PYTHON:
            continue
        advice = ""
        if argument_name in _OPTIONS:
            advice = f": write --{argument_name.replace('_', '-')}"
        raise UsageError(
            f"{argument_name} is for crmlab.call in Python, and no argument of an operation{advice}"
        )
