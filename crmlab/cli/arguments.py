"""Arguments that several commands have."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

from crmlab import providers
from crmlab.schema import TABLES

#: the commands, as `argparse` calls them
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # its class has no public name


def add_question(parser: argparse.ArgumentParser) -> None:
    """Add what is asked: of which services, which tables, of which period."""
    parser.add_argument("providers", nargs="+", metavar="PROVIDER", help=f"one of {', '.join(providers.registry())}")
    parser.add_argument(
        "--tables", nargs="*", default=[], metavar="TABLE", help=f"all if none; known: {', '.join(TABLES)}"
    )
    parser.add_argument("--since", help="changed or happened at or after: 2026-01-31, or a time with its zone")
    parser.add_argument("--until", help="changed or happened before")


def add_world(parser: argparse.ArgumentParser) -> None:
    """Add what the sandbox holds."""
    parser.add_argument("--world", choices=("generated", "maven"), default="generated", help="what the services hold")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the Maven CRM files (--world maven)")
    parser.add_argument("--rows", type=int, default=2000, metavar="N", help="people to generate (default: 2000)")
    parser.add_argument("--days-ago", type=int, default=0, metavar="N", help="the same world as it was N days before")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="same seed, same people (default: 1)")


def add_out(parser: argparse.ArgumentParser) -> None:
    """Add the folder that files are written to."""
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="where files go (default: out)")
