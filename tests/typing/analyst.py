"""What an analyst writes, as type checkers see it: each line that is wrong says so, and none that is right."""

from typing import assert_type

import polars as pl

import crmlab
from crmlab import analysis, plots


async def monday(names: list[str]) -> None:
    form = [crmlab.Account("onepagecrm"), crmlab.Account("of_another_package", token="...")]
    data = await crmlab.fetch(form, "deals", "onepagecrm.deals", since="2026-01-01")
    assert_type(data, crmlab.Fetched)
    assert_type(data.deals, pl.DataFrame)
    assert_type(data["deals"], pl.DataFrame)
    assert_type(data["onepagecrm.deals"], pl.DataFrame)
    print(data.dealz)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    print(data[1])  # type: ignore[index]  # pyright: ignore[reportArgumentType]
    await crmlab.fetch(form, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await crmlab.fetch(form, *names)
    assert_type((await crmlab.fetch_to("warehouse", form, "deals")).deals, pl.LazyFrame)
    plots.win_rate(data.deals)
    assert_type(analysis.win_rate(data, by="owner_name"), pl.DataFrame)
    assert_type(analysis.win_rate(data.deals, by="owner_name"), pl.DataFrame)
    analysis.mailed_but_objected(data)
    assert_type(crmlab.open("warehouse", lazy=False), crmlab.Fetched)
    analysis.open_actions(crmlab.open("warehouse"))
    for failure in data.failures:
        assert_type(failure.what_to_do, str)
    for name, frame in data.items():
        assert_type((name, frame), tuple[str, pl.DataFrame])
    assert_type(await crmlab.fetch(await crmlab.plan(form, "deals")), crmlab.Fetched)
    assert_type((await crmlab.probe(form)).frame(), pl.DataFrame)


async def ask(account: crmlab.Account) -> None:
    await crmlab.call(account, "get_contact", contact_id="5aba31ea9007ba0f570c92d4")
    await crmlab.call(account, "get_contact", id="1", as_frame=True)
    await crmlab.call(account, "platform_sources_index", include=["connector", "health"])
    await crmlab.call(
        account, "delete_contact", contact_id="5aba31ea9007ba0f570c92d4", allow_destructive=True
    )
    name = crmlab.operations("relenta")["operation"][0]
    await crmlab.call(account, name)
    await crmlab.call(account, "get_kontact", id="1")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    await crmlab.call(account, "get_contact")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    await crmlab.call(account, "get_contact", contact_ids="1")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    await crmlab.call(account, "platform_sources_index", include=["all"])  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
