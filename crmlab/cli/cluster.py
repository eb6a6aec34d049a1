"""``crmlab cluster``: workers on this machine, for refreshes of a lake."""

from __future__ import annotations

import argparse

from crmlab.cli.arguments import Commands
from crmlab.cli.output import OK
from crmlab.cli.signals import stop_on
from crmlab.cluster import ACCOUNTS, local_cluster


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "cluster",
        help="start workers on this machine until Ctrl-C, for the --cluster of refresh and lake sweep",
        description="Start a Dask scheduler and workers on this machine, and print where it and its dashboard "
        "are. Nobody reaches them from another machine.",
        epilog="example: crmlab cluster --workers 2, and beside it crmlab refresh warehouse/ complero "
        "--cluster tcp://127.0.0.1:8786",
    )
    parser.add_argument(
        "--workers", type=int, default=2, metavar="N", help="processes (default: 2)"
    )
    parser.add_argument(
        "--accounts",
        type=int,
        default=ACCOUNTS,
        metavar="N",
        help=f"that each worker reads at a time (default: {ACCOUNTS})",
    )
    parser.add_argument("--port", type=int, default=8786, help="default: 8786; 0: any free one")
    parser.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    """Run the workers until Ctrl-C, or until told to end; none of them stays behind."""
    workers = local_cluster(options.workers, accounts=options.accounts, port=options.port)
    with stop_on("SIGTERM", "SIGHUP") as stop_event:
        async with workers as cluster:
            print(f"Workers: {options.workers}, until Ctrl-C.")
            print(f"Scheduler: {cluster.address}")
            figures = "" if cluster.has_figures else " (with figures: pip install bokeh)"
            print(f"Dashboard: {cluster.dashboard}{figures}", flush=True)
            await stop_event.wait()
    return OK
