"""What a spool holds, read again: the same result without a network and without a key."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from crmlab.accounts import Account
from crmlab.fetching.answer_spool import spool_in
from crmlab.fetching.fetch import run
from crmlab.fetching.outcome import handed_out
from crmlab.fetching.query import Query, as_query
from crmlab.fetching.replayed_answers import ReplayedAnswers
from crmlab.forks import check_threads
from crmlab.results import Fetched
from crmlab.schema import Asked


def replay(directory: str | Path) -> Fetched:
    """Return what ``crmlab.fetch(..., spool=directory)`` returned, from the answers that are kept there.

    Nothing is sent and no key is needed. Of a run that was killed it is what came until then: each list that was not
    at its end has a `crmlab.errors.Stopped` in `.failures`.

    Parameters
    ----------
    directory
        The folder that was named as `spool`. `crmlab spool redact` makes one without personal values of it, which can
        be sent to somebody who looks for a fault.

    Raises
    ------
    UsageError
        The folder holds no answers, or those of a service that is not known here.
    CrmlabError
        Nothing came at all: the first failure.

    Examples
    --------
    >>> import crmlab
    >>> async with crmlab.sandbox(rows=20, services=["onepagecrm"]) as accounts:
    ...     data = await crmlab.fetch(accounts, "deals", spool="spool")
    >>> crmlab.replay("spool").deals.equals(data.deals)
    True
    """
    check_threads()
    spool_folder, about = spool_in(directory)
    query = _query(about)
    answers = ReplayedAnswers(spool_folder, about.get("told", {}))
    # in a thread of its own: in a notebook, this one has an event loop that runs
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _replayed(query, answers)).result()


async def _replayed(query: Query, answers: ReplayedAnswers) -> Fetched:
    results = await run(
        query,
        {},
        limits=None,
        timeouts=None,
        progress=False,
        stop=None,
        on_error="collect",
        answers=answers,
    )
    answers.finish(results)
    return handed_out(query, results)


def _query(about: Mapping[str, Any]) -> Query:
    """Return what was asked; raise a `UsageError` where it cannot be asked of this version of crmlab."""
    kept_question = Asked.from_json(about)
    accounts = [_account(kept_account) for kept_account in about["asked_accounts"]]
    query = as_query(
        accounts, kept_question.tables, since=kept_question.since, until=kept_question.until
    )
    return replace(query, now=kept_question.fetched_at)


def _account(kept: Mapping[str, Any]) -> Account:
    return Account.without_credentials(
        kept["provider"],
        name=kept["name"],
        base_url=kept["base_url"],
        options=kept["options"],
        facts=kept["facts"],
    )
