"""Arguments that several commands have."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, TypeAlias

from crmlab import providers
from crmlab.errors import UsageError
from crmlab.results import kept_key, new_key
from crmlab.schema import TABLES

#: the commands, as `argparse` calls them
Commands: TypeAlias = (
    "argparse._SubParsersAction[argparse.ArgumentParser]"  # its class has no public name
)


def add_question(parser: argparse.ArgumentParser) -> None:
    """Add what is asked: of which services, which tables, of which period."""
    parser.add_argument(
        "providers", nargs="+", metavar="PROVIDER", help=f"one of {', '.join(providers.registry())}"
    )
    parser.add_argument(
        "--tables",
        nargs="*",
        default=[],
        metavar="TABLE",
        help=f"all if none; known: {', '.join(TABLES)}",
    )
    parser.add_argument(
        "--since", help="changed or happened at or after: 2026-01-31, or a time with its zone"
    )
    parser.add_argument("--until", help="changed or happened before")


def add_person(parser: argparse.ArgumentParser) -> None:
    """Add who is asked about, and in which folder."""
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument(
        "person",
        metavar="PERSON",
        help="an e-mail address, a telephone number, or a contact: provider/account/id",
    )
    parser.add_argument(
        "--region", metavar="CODE", help="country of telephone numbers without +: DE"
    )


def add_world(parser: argparse.ArgumentParser) -> None:
    """Add what the sandbox holds."""
    parser.add_argument(
        "--world",
        choices=("generated", "maven"),
        default="generated",
        help="what the services hold",
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of the Maven CRM files (--world maven)"
    )
    parser.add_argument(
        "--rows", type=int, default=2000, metavar="N", help="people to generate (default: 2000)"
    )
    parser.add_argument(
        "--days-ago",
        type=int,
        default=0,
        metavar="N",
        help="the same world as it was N days before",
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="S", help="same seed, same people (default: 1)"
    )


def add_out(parser: argparse.ArgumentParser) -> None:
    """Add the folder that files are written to."""
    parser.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="where files go (default: out)"
    )


def named_values(texts: list[str]) -> dict[str, Any]:
    """Return arguments of the form ``name=value`` by their names; a value may be JSON.

    Raises
    ------
    UsageError
        one is no argument, or comes twice
    """
    arguments: dict[str, Any] = {}
    for text in texts:
        name, value = _named_value(text)
        if name in arguments:
            raise UsageError(f"{name} is there twice: a list is written {name}=[1,2]")
        arguments[name] = value
    return arguments


def _named_value(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"{text!r} is no argument: write NAME=VALUE")
    if not value.startswith(("[", "{", "true", "false")):
        return name, value
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def add_mask(parser: argparse.ArgumentParser, help: str) -> None:
    """Add whether and by which key personal values are masked."""
    parser.add_argument("--mask", action="store_true", help=help)
    parser.add_argument(
        "--mask-key",
        type=Path,
        metavar="FILE",
        help="mask with the key in that file, which is made if it is missing; what the same key masked still joins",
    )


def mask_of(options: argparse.Namespace) -> bool | bytes:
    """Return how to mask: by a new key, which files and report share, by that of a file, or not at all."""
    if options.mask_key:
        return kept_key(options.mask_key)
    return new_key() if options.mask else False


def add_quota(parser: argparse.ArgumentParser) -> None:
    """Add what is to be won this year."""
    parser.add_argument(
        "--quota",
        nargs="+",
        metavar="AMOUNT",
        help="amount to win this year: 500000, or EUR=500000 USD=200000",
    )


def quota_of(options: argparse.Namespace) -> float | dict[str, float] | None:
    """Return the amount that was given, or one for each currency; None where none was.

    Raises
    ------
    UsageError
        It is no amount, or one of several has no currency.
    """
    given = options.quota
    if not given:
        return None
    pairs = [text.rpartition("=") for text in given]
    try:
        amounts = {currency: float(amount) for currency, _, amount in pairs}
    except ValueError:
        raise UsageError(
            f"--quota {' '.join(given)} is no amount: write 500000, or EUR=500000 USD=200000"
        ) from None
    if list(amounts) == [""] and len(given) == 1:
        return amounts[""]
    if "" in amounts:
        raise UsageError("--quota: write the currency of each amount, as in EUR=500000 USD=200000")
    return amounts
