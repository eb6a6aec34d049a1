"""Rows of a frame into one table of a service: each sent once, and what became of it told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, overload
from urllib.parse import urlsplit

from crmlab.accounts import Account, check_account
from crmlab.connector import Limits, Target, Timeouts, check_settings
from crmlab.errors import Stopped, UsageError
from crmlab.fetching import Listener, check_stop, listening
from crmlab.pushing.prepared import Prepared, prepare
from crmlab.pushing.push_plan import PushPlan, push_plan
from crmlab.pushing.pushed import Pushed, results_frame
from crmlab.pushing.results_file import Line, ResultsFile
from crmlab.pushing.rows import Rows, rows_of
from crmlab.pushing.sender import Sender


@overload
async def push(
    account: Account,
    table: str,
    frame: Any,
    *,
    results: str | Path | None = None,
    dry_run: Literal[False] = False,
    retry_unknown: bool = False,
    limits: Limits | None = None,
    timeouts: Timeouts | None = None,
    progress: Listener | bool | None = None,
    stop: asyncio.Event | None = None,
    **options: object,
) -> Pushed: ...
@overload
async def push(
    account: Account,
    table: str,
    frame: Any,
    *,
    results: str | Path | None = None,
    dry_run: Literal[True],
    retry_unknown: bool = False,
    limits: Limits | None = None,
    timeouts: Timeouts | None = None,
    progress: Listener | bool | None = None,
    stop: asyncio.Event | None = None,
    **options: object,
) -> PushPlan: ...
async def push(
    account: Account,
    table: str,
    frame: Any,
    *,
    results: str | Path | None = None,
    dry_run: bool = False,
    retry_unknown: bool = False,
    limits: Limits | None = None,
    timeouts: Timeouts | None = None,
    progress: Listener | bool | None = None,
    stop: asyncio.Event | None = None,
    **options: object,
) -> Pushed | PushPlan:
    """Write the rows of a frame into a table of a service, and return what became of each.

    A row with an ``id`` changes that record, one without creates a new one. Only columns of the frame are written, and
    of them only cells with a value: what a frame leaves empty stays as it is. `updates` makes a frame of what differs,
    whose column ``changed`` names the columns of each row that are written, those that shall be emptied too.

    Nothing that a second application could change is sent twice. Where the connection breaks or the service fails after
    a row was sent, its state is "unknown"; after three of them in a row the push ends.

    Parameters
    ----------
    account
        Where to.
    table
        A shared table: ``"contacts"``, or ``"deals"`` of OnePageCRM. The pages of the services say which columns each
        takes.
    frame
        Of Polars, pandas or pyarrow. Columns ``provider`` and ``account``, if there, must be those of the account.
    results
        A file for what becomes of each row, written while it becomes known, for this user only: a line of JSON for
        each row, which `polars.read_ndjson` reads. A second push of the same frame with the same file sends only rows
        that were refused or not sent, corrected ones too, and asks for the end of work that was going on.
    dry_run
        Return the plan, a `PushPlan`, and send nothing.
    retry_unknown
        Send rows again whose outcome is unknown: they may be there twice afterwards. Complero's uploads, which bring
        the same records up to date, are sent again without it.
    limits, timeouts, progress, stop
        As for `fetch`. Once `stop` is set, or ``timeouts.total`` is over, what is on its way is waited for, and the
        rest is not sent.
    **options
        What a service must be told beside: Altcraft ``db_id=``, and ``skip_triggers=False`` to start scenarios.

    Raises
    ------
    UsageError
        The service does not take the table or a column, rows are of another account, an id stands twice, an option
        is missing or unknown, or `results` is of another frame. Nothing was sent.
    PlanError
        Relenta's contacts, which are read before they are changed, did not come whole. Nothing was sent.
    CrmlabError
        Nothing could be sent: the key was refused, or the service cannot be reached.

    Examples
    --------
    >>> import asyncio
    >>> import polars as pl
    >>> import crmlab
    >>> async def no_more_mails():
    ...     async with crmlab.sandbox(rows=20, services=["relenta"]) as (account,):
    ...         contacts = (await crmlab.fetch(account, "contacts")).contacts
    ...         rows = contacts.head(3).select("id", do_not_contact=pl.lit(True))
    ...         return await crmlab.push(account, "contacts", rows)
    >>> asyncio.run(no_more_mails())
    <Pushed: 3 rows: 3 updated>
    """
    from crmlab.http.client import Client  # noqa: PLC0415  # aiohttp is loaded when something is sent

    check_account(account)
    check_settings(limits, timeouts)
    check_stop(stop)
    _check_words(results, retry_unknown)
    rows = rows_of(account, table, frame)
    given = _checked_options(rows.target, options, account)
    with ResultsFile(results, whose(rows), read_only=dry_run) as file:
        prepared = prepare(rows, file, given, retry_unknown=retry_unknown)
        if dry_run:
            return push_plan(prepared, limits or account.limits)
        file.put(_new_lines(prepared, file))
        stop = stop or asyncio.Event()
        with listening(progress, stop) as listener:
            async with Client(limits, timeouts) as client:
                sender = Sender(client, prepared, file, listener, stop)
                await sender.run()
        file.put(prepared.left_over(sender.settled, sender.failure))
    nothing_was_sent = all(file.lines[number].state == "not_sent" for number in sender.settled)
    # who stopped it gets a result; what kept every row from being sent is raised
    if sender.failure and nothing_was_sent and not isinstance(sender.failure, Stopped):
        raise sender.failure
    return Pushed(
        frame=results_frame(file.lines.values()),
        failure=sender.failure,
        path=file.path,
        title=f"Pushed {table} to {account.provider.title}",
    )


def _new_lines(prepared: Prepared, file: ResultsFile) -> list[Line]:
    """Return the lines of rows that are not sent, as far as the file does not hold them already."""
    new_lines = []
    for number, line in prepared.kept.items():
        if file.lines.get(number) != line:
            new_lines.append(line)
    return new_lines


def _check_words(results: object, retry_unknown: object) -> None:
    """Refuse what a file or a permission is not: the word "no" would be taken for a yes."""
    if results is not None and not isinstance(results, str | Path):
        raise UsageError(f"results is the path of a file, not {results!r}")
    if not isinstance(retry_unknown, bool):
        raise UsageError(f"retry_unknown is True or False, not {retry_unknown!r}")


def whose(rows: Rows) -> dict[str, str]:
    """Return what every line of the results file says of the whole."""
    account = rows.account
    return {
        "provider": account.provider.name,
        "account": account.name,
        "host": urlsplit(account.base_url).netloc,
        "table": rows.target.table,
    }


def _checked_options(
    target: Target, given: Mapping[str, object], account: Account
) -> dict[str, object]:
    option_names = ", ".join(target.options) or "no option"
    what_it_takes = f"{account.provider.title} takes {option_names} with {target.table}"
    strange = given.keys() - target.options.keys()
    if strange:
        raise UsageError(f"{', '.join(sorted(strange))}: {what_it_takes}")
    missing = []
    for option, is_required in target.options.items():
        if is_required and option not in given:
            missing.append(option)
    if missing:
        raise UsageError(f"{', '.join(missing)} is missing: {what_it_takes}")
    return dict(given)
