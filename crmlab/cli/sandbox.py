"""``crmlab sandbox``: all services, served on 127.0.0.1."""

from __future__ import annotations

import argparse
import asyncio
import sys

import crmlab
from crmlab.cli.arguments import Commands, add_flag, add_world
from crmlab.cli.output import OK
from crmlab.sandbox import differences


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "sandbox",
        help="serve all services on 127.0.0.1 until Ctrl-C",
        description="Serve all services, filled with generated people, and print the accounts "
        "that open them.",
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_world(parser)
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument(
        "--latency", type=float, default=0.0, metavar="SECONDS", help="before each answer"
    )
    add_flag(parser, "--rate-limits", "enforce the documented limits")
    parser.add_argument(
        "--drift",
        nargs="?",
        const=True,
        default=False,
        metavar="NAME,NAME",
        help="differ from what the vendors document, as live services may; without names in all "
        "ways that go together",
    )
    parser.set_defaults(run=run)


def _epilog() -> str:
    known = differences()
    name_width = max(len(name) for name in known)
    lines = [
        "example: crmlab sandbox --rows 10000 --latency 0.05 --rate-limits",
        "",
        "differences that --drift takes (* only where it is named):",
    ]
    for difference_name, description in known.items():
        lines.append(f"  {difference_name:{name_width}}  {description}")
    return "\n".join(lines)


async def run(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    async with crmlab.sandbox(
        options.world,
        rows=options.rows,
        seed=options.seed,
        days_ago=options.days_ago,
        data=options.data,
        latency=options.latency,
        rate_limits=options.rate_limits,
        drift=options.drift,
        port=options.port,
    ) as accounts:
        print("Serving until Ctrl-C. These keys open nothing but this sandbox:")
        for account in accounts:
            arguments = f"{account.provider.name!r}, base_url={account.base_url!r}"
            for key_name, key in accounts.keys[account.provider.name].items():
                arguments += f", {key_name}={key!r}"
            print(f"  crmlab.Account({arguments})")
        # a program that started this one reads the accounts from a pipe, and waits for them
        sys.stdout.flush()
        await asyncio.Event().wait()
    return OK
