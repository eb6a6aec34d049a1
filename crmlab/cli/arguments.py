"""Arguments that several commands have."""

from __future__ import annotations

import argparse
import json
import math
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


def add_flag(parser: argparse.ArgumentParser, name: str, help: str) -> None:
    """Add what is either said or not."""
    parser.add_argument(name, action="store_true", help=help)


def add_named_values(parser: argparse.ArgumentParser, name: str, help: str) -> None:
    """Add any number of ``NAME=VALUE``, which `named_values` reads."""
    parser.add_argument(name, nargs="*", metavar="NAME=VALUE", help=help)


def add_provider(parser: argparse.ArgumentParser) -> None:
    """Add the one service that is asked."""
    known = ", ".join(providers.registry())
    parser.add_argument("provider", metavar="PROVIDER", help=f"one of {known}")


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
    for argument_text in texts:
        argument_name, argument_value = _named_value(argument_text)
        if argument_name in arguments:
            raise UsageError(
                f"{argument_name} is there twice: a list is written {argument_name}=[1,2]"
            )
        arguments[argument_name] = argument_value
    return arguments


def _named_value(text: str) -> tuple[str, Any]:
    argument_name, equals_sign, value_text = text.partition("=")
    if not equals_sign:
        raise UsageError(f"{text!r} is no argument: write NAME=VALUE")
    # a number stays text: the service's document says what it is, and an id may begin with 0
    if not value_text.startswith(("[", "{", "true", "false")):
        return argument_name, value_text
    try:
        return argument_name, json.loads(value_text)
    except ValueError:
        return argument_name, value_text


def add_mask(parser: argparse.ArgumentParser, help: str) -> None:
    """Add whether and by which key personal values are masked."""
    add_flag(parser, "--mask", help)
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
    # kept nowhere: nobody can tell later whom a token stands for
    if options.mask:
        return new_key()
    return False


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
        It is no amount, or one of several has no currency, or that of another.
    """
    quota_texts = options.quota
    if not quota_texts:
        return None
    amounts = {}
    for quota_text in quota_texts:
        currency, _, amount_text = quota_text.rpartition("=")
        try:
            amount = float(amount_text)
        except ValueError:
            amount = math.nan
        # "EUR=5,USD=2" is one text, and its end alone an amount
        if math.isnan(amount) or "=" in currency or currency in amounts:
            raise UsageError(
                f"--quota {' '.join(quota_texts)} is no amount: write 500000, or EUR=500000 "
                "USD=200000"
            )
        amounts[currency] = amount
    # without a currency the amount is of whatever the deals are in, which can be one only
    if list(amounts) == [""] and len(quota_texts) == 1:
        return amounts[""]
    if "" in amounts:
        raise UsageError("--quota: write the currency of each amount, as in EUR=500000 USD=200000")
    return amounts
