"""What a service has of the records that are to be changed, where they must be sent whole."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from crmlab import fetching  # its function of that name hides the module from mypy otherwise
from crmlab.accounts import Account
from crmlab.connector import Fields, Target
from crmlab.errors import PlanError
from crmlab.pushing.stopping import stopped

if TYPE_CHECKING:
    from crmlab.http.client import Client

_KEY = ("provider", "account")
#: how the note of a list begins that has fields which no frame holds
_UNDOCUMENTED = "fields nobody documented"


async def whole_list(
    account: Account, target: Target, client: Client, stop: asyncio.Event
) -> dict[str, Fields]:
    """Return every record of a list by its id, as it is sent back.

    Raises
    ------
    PlanError
        The list did not come whole, or its records have fields that would be lost.
    Stopped
        It was told to stop before the list was there.
    CrmlabError
        It did not come at all.
    """
    resource_name = f"{account.provider.name}.{target.current_resource}"
    fetched = await fetching.fetch(
        account,
        resource_name,
        limits=client.limits(account),
        timeouts=client.timeouts,
        progress=False,
        stop=stop,
        on_error="raise",
    )
    if stop.is_set():
        raise stopped()
    notes = " ".join(fetched.summary["note"])
    if not fetched.complete or _UNDOCUMENTED in notes:
        raise PlanError(
            f"{resource_name} must be known whole before a record of it is changed, for the service may blank what is "
            f"left out: {notes or 'it did not come whole'}"
        )
    records = fetched[resource_name].drop(_KEY).iter_rows(named=True)
    return {record["id"]: target.current(record) for record in records}
