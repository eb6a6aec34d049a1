"""A fetch of many rows in each table, spread by lot over four years."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import polars as pl

from crmlab import Fetched
from crmlab.schema import Asked
from crmlab.schema.tables import TABLES, conform

NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
OWNERS, CAMPAIGNS, PIPELINES, STAGES = 300, 200, 4, 6
DAYS = 1500

_ROW = pl.col("row")
Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


def fetched(rows: int) -> Fetched:
    """Return so many rows of each table that grows, and two thirds as many contacts."""
    tables = {name: table(name, rows) for name in _MAKERS}
    return _fetched(tables, NOW)


def table(name: str, total: int, start: int = 0, stop: int | None = None) -> pl.DataFrame:
    """Return a table, or its rows from `start` to before `stop`, where the tables that grow have `total`.

    Slices put together are the whole table, for lot goes by the number of a row. A slice of contacts has each of its
    people twice, once for each of two services.
    """
    height = height_of(name, total)
    last = height if stop is None else min(stop, height)
    numbered = pl.select(row=pl.int_range(min(start, last), last))
    return conform(_MAKERS[name](numbered, total), TABLES[name])


def height_of(name: str, total: int) -> int:
    """Return how many numbers the rows of a table have, where the tables that grow have `total` rows."""
    fixed = {
        "users": OWNERS,
        "stages": PIPELINES * STAGES,
        "campaigns": CAMPAIGNS,
        "contacts": total // 3,
    }
    return fixed.get(name, total)


def before(now: Fetched) -> Fetched:
    """Return the deals of a month before: all are open, and a stage further back."""
    return _fetched({"deals": earlier_deals(now.deals)}, now.fetched_at - dt.timedelta(days=30))


def _fetched(tables: Mapping[str, pl.DataFrame], at: dt.datetime) -> Fetched:
    """Return what a fetch of these tables would be, in which everything came and was read."""
    heights = {name: frame.height for name, frame in tables.items()}
    summary = pl.DataFrame({"table": list(tables), "complete": True, "unread": 0})
    asked = Asked(fetched_at=at, tables=tuple(tables))
    return Fetched(
        tables, heights=heights, summary=summary, rejected=pl.DataFrame(), failures=(), asked=asked
    )


def earlier_deals(deals: Frame) -> Frame:
    """Return the deals of a month before: all are open, and a stage further back."""
    return deals.with_columns(
        stage=(pl.col("stage") - 20).clip(lower_bound=0), status=pl.lit("pending")
    )


def _users(rows: pl.DataFrame, total: int) -> pl.DataFrame:
    return rows.select(*_SALES, id=pl.format("u{}", _ROW), name=pl.format("Owner {}", _ROW))


def _stages(rows: pl.DataFrame, total: int) -> pl.DataFrame:
    return rows.select(
        *_SALES,
        id=pl.format("t{}", _ROW),
        pipeline_id=pl.format("p{}", _ROW // STAGES),
        pipeline_name=pl.format("Pipeline {}", _ROW // STAGES),
        stage=_ROW % STAGES * 20,
        label=pl.format("Stage {}", _ROW % STAGES),
    )


def _campaigns(rows: pl.DataFrame, total: int) -> pl.DataFrame:
    return rows.select(*_MAIL, id=pl.format("k{}", _ROW), name=pl.format("Campaign {}", _ROW))


def _deals(rows: pl.DataFrame, total: int) -> pl.DataFrame:
    is_open = pl.col("status") == "pending"
    closed = (pl.col("created_at") + pl.duration(days=_lot(3, 200))).dt.date()
    made = rows.select(
        "row",
        *_SALES,
        id=pl.format("d{}", _ROW),
        created_at=_ago(2),
        name=pl.format("Deal {}", _ROW),
        contact_id=pl.format("c{}", _lot(5, total // 3)),
        owner_id=pl.format("u{}", _lot(1, OWNERS)),
        owner_name=pl.format("Owner {}", _lot(1, OWNERS)),
        pipeline_id=pl.format("p{}", _lot(6, PIPELINES)),
        stage=_lot(7, STAGES) * 20,
        stage_label=pl.format("Stage {}", _lot(7, STAGES)),
        stage_probability=_lot(7, STAGES) / 5,
        status=_one_of(4, ["pending", "won", "lost"]),
        amount=_lot(8, 100_000).cast(pl.Float64),
        currency=_one_of(9, ["EUR", "USD"]),
    )
    return made.with_columns(
        expected_close_date=pl.when(is_open).then(
            pl.lit(NOW.date()) + pl.duration(days=_lot(10, 200) - 60)
        ),
        close_date=pl.when(~is_open).then(pl.min_horizontal(closed, pl.lit(NOW.date()))),
        lost_reason_id=pl.when(pl.col("status") == "lost").then(pl.format("r{}", _lot(11, 8))),
    )


def _activities(rows: pl.DataFrame, total: int) -> pl.DataFrame:
    is_mail = _lot(30, 10) < 4
    return rows.select(
        provider=pl.when(is_mail).then(pl.lit("altcraft")).otherwise(pl.lit("onepagecrm")),
        account=pl.when(is_mail).then(pl.lit("mail")).otherwise(pl.lit("sales")),
        id=pl.format("a{}", _ROW),
        created_at=_ago(31),
        starts_at=_ago(31),
        kind=pl.when(is_mail)
        .then(_one_of(32, ["send", "send", "send", "open", "click"]))
        .otherwise(_one_of(33, ["action", "call", "note", "meeting"])),
        mailing=pl.when(is_mail).then(_one_of(32, ["sent", "sent", "sent", "opened", "clicked"])),
        contact_id=pl.format("c{}", _lot(34, total // 3)),
        deal_id=pl.when(~is_mail & (_lot(35, 2) == 0)).then(pl.format("d{}", _lot(36, total))),
        owner_id=pl.when(~is_mail).then(pl.format("u{}", _lot(37, OWNERS))),
        due_on=_ago(31).dt.date(),
        done=_one_of(38, [True, False]),
        done_at=_ago(31).dt.date(),
        campaign_id=pl.when(is_mail).then(pl.format("k{}", _lot(39, CAMPAIGNS))),
        subject=pl.format("subject {}", _ROW),
    )


def _contacts(rows: pl.DataFrame, total: int) -> pl.DataFrame:
    """Return everybody in two services, with one address, and most with a telephone number."""
    of_service = [
        rows.select(
            *service,
            id=pl.format("c{}", _ROW),
            created_at=_ago(52),
            full_name=pl.format("Person {} {}", _lot(53, 5_000), _lot(54, 9_000)),
            emails=pl.concat_list(pl.format("person{}@example.com", _ROW)),
            phones=pl.when(_lot(57, 10) < 7).then(pl.concat_list(phone)),
            owner_id=pl.format("u{}", _lot(55, OWNERS)),
            do_not_contact=_one_of(56, [None, True, False, False]),
        )
        for service, phone in ((_SALES, _spelled_phone()), (_MAIL, pl.format("+4930{}", _number())))
    ]
    return pl.concat(of_service)


def _spelled_phone() -> pl.Expr:
    """Return a number as people spell it: most in full, some by a rule of their country, some without a country."""
    number = _number()
    spelled = (
        pl.format("+49 30 {}", number),
        pl.format("0049 (30) {}", number),
        pl.format("+49 (0)30 {}", number),
        pl.format("030 / {}", number),
        pl.format("030-{}", number),
        pl.format("+55 21 9{}", number),
    )
    chosen = pl.when(_lot(58, 20) < 11).then(spelled[0])
    for least, spelling in zip((15, 17, 18, 19), spelled[1:5], strict=True):
        chosen = chosen.when(_lot(58, 20) < least).then(spelling)
    return chosen.otherwise(spelled[5])


def _number() -> pl.Expr:
    return 10_000_000 + _ROW


def _consent_events(rows: pl.DataFrame, total: int) -> pl.DataFrame:
    return rows.select(
        *_MAIL,
        id=pl.format("e{}", _ROW),
        created_at=_ago(41),
        kind=_one_of(42, ["confirm", "subscribe", "unsubscribe"]),
        opted_in=_one_of(42, [True, True, False]),
        step=_one_of(42, ["confirmation", "request", None]),
        contact_id=pl.format("c{}", _lot(43, total // 3)),
        contact_email=pl.format("person{}@example.com", _lot(43, total // 3)),
        channel=_one_of(44, ["email", "sms", "phone", "letter"]),
        source=_one_of(45, ["form", "shop"]),
        occurred_at=_ago(41),
        has_documentation=_one_of(47, [True, False]),
    )


def _subscriptions(rows: pl.DataFrame, total: int) -> pl.DataFrame:
    return rows.select(
        *_MAIL,
        id=pl.format("s{}", _ROW),
        contact_id=pl.format("c{}", _lot(61, total // 3)),
        channel=_one_of(62, ["email", "sms"]),
        status=_one_of(63, ["subscribed", "unsubscribed"]),
        opted_in=_one_of(63, [True, False]),
        resource_id=_one_of(64, ["1", "2"]),
    )


def _statistics(rows: pl.DataFrame, total: int) -> pl.DataFrame:
    return rows.select(
        *_STATISTICS,
        device=_one_of(73, ["mobile", "desktop", None]),
        optout=_lot(76, 200),
        explicit_optin=_lot(78, 300),
    )


def _statistics_items(rows: pl.DataFrame, total: int) -> pl.DataFrame:
    return rows.select(
        *_STATISTICS,
        dimension=_one_of(79, ["category", "vendor"]),
        item_id=pl.format("{}", _lot(77, 40)),
    )


def _lot(seed: int, values: int) -> pl.Expr:
    """Return for each row one of so many numbers, from 0; with the same seed always the same."""
    return (_ROW.hash(seed) % values).cast(pl.Int64)


def _one_of(seed: int, values: Sequence[object]) -> pl.Expr:
    return pl.lit(pl.Series(values)).gather(_lot(seed, len(values)))


def _ago(seed: int) -> pl.Expr:
    return (pl.lit(NOW) - pl.duration(minutes=_lot(seed, DAYS * 1440))).dt.cast_time_unit("us")


_SALES = (pl.lit("onepagecrm").alias("provider"), pl.lit("sales").alias("account"))
_MAIL = (pl.lit("altcraft").alias("provider"), pl.lit("mail").alias("account"))
_STATISTICS = (
    pl.lit("commanders_act").alias("provider"),
    pl.lit("web").alias("account"),
    pl.format("b{}", _ROW).alias("id"),
    _ago(71).dt.date().alias("day"),
    pl.format("{}", _lot(72, 50)).alias("banner_id"),
    (_lot(74, 1000) + 500).alias("visitors_exposed"),
    _lot(75, 300).alias("optin"),
)
#: of each table, what makes it of the numbers of its rows and of the height of the tables that grow
_MAKERS: Mapping[str, Callable[[pl.DataFrame, int], pl.DataFrame]] = {
    "users": _users,
    "stages": _stages,
    "campaigns": _campaigns,
    "deals": _deals,
    "activities": _activities,
    "contacts": _contacts,
    "consent_events": _consent_events,
    "subscriptions": _subscriptions,
    "consent_statistics": _statistics,
    "consent_statistics_items": _statistics_items,
}
