"""Two hundred accounts in one fetch: all complete, connections bounded."""

from __future__ import annotations

import crmlab
from crmlab.http.client import _CONNECTIONS

EACH = 40


async def test_two_hundred_accounts_are_fetched_at_once() -> None:
    async with crmlab.sandbox(rows=20, seed=5, latency=0.8) as service:
        accounts = [
            crmlab.Account(
                one.provider.name,
                name=f"{one.provider.name}-{number}",
                base_url=one.base_url,
                **service.keys[one.provider.name],
            )
            for one in service
            for number in range(EACH)
        ]

        data = await crmlab.fetch(
            accounts, "contacts", "users", limits=crmlab.Limits(concurrency=10)
        )

    assert data.complete
    assert set(data.summary["account"]) >= {account.name for account in accounts}
    people = data.contacts.group_by("account").len()
    assert people.height == EACH * sum("contacts" in one.provider.tables for one in service)
    assert people["len"].min() > 0
    assert EACH < service.max_in_flight <= _CONNECTIONS
