"""A fetch of many rows in each table, spread by lot over four years."""

import datetime as dt
from collections.abc import Sequence

import polars as pl

from crmlab import Fetched
from crmlab.schema.tables import TABLES, conform

NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
OWNERS, CAMPAIGNS, PIPELINES, STAGES = 300, 200, 4, 6
DAYS = 1500

_ROW = pl.int_range(pl.len())


def fetched(rows: int) -> Fetched:
    """Return so many rows of each table that grows, and two thirds as many contacts."""
    people = rows // 3
    made = {
        "users": _accounted(_of(OWNERS).select(id=pl.format("u{}", _ROW), name=pl.format("Owner {}", _ROW))),
        "stages": _accounted(
            _of(PIPELINES * STAGES).select(
                pipeline_id=pl.format("p{}", _ROW // STAGES),
                pipeline_name=pl.format("Pipeline {}", _ROW // STAGES),
                stage=_ROW % STAGES * 20,
                label=pl.format("Stage {}", _ROW % STAGES),
            )
        ),
        "campaigns": _of(CAMPAIGNS).select(
            provider=pl.lit("altcraft"),
            account=pl.lit("mail"),
            id=pl.format("k{}", _ROW),
            name=pl.format("Campaign {}", _ROW),
        ),
        "deals": _accounted(_deals(rows, people)),
        "activities": _activities(rows, people),
        "contacts": _contacts(people),
        "consent_events": _consent_events(rows, people),
        "subscriptions": _of(rows).select(
            provider=pl.lit("altcraft"),
            account=pl.lit("mail"),
            id=pl.format("s{}", _ROW),
            contact_id=pl.format("c{}", _lot(61, people)),
            channel=_one_of(62, ["email", "sms"]),
            status=_one_of(63, ["subscribed", "unsubscribed"]),
            opted_in=_one_of(63, [True, False]),
            resource_id=_one_of(64, ["1", "2"]),
        ),
        "consent_statistics": _statistics(rows).with_columns(
            device=_one_of(73, ["mobile", "desktop", None]), optout=_lot(76, 200), explicit_optin=_lot(78, 300)
        ),
        "consent_statistics_items": _statistics(rows).with_columns(
            dimension=_one_of(79, ["category", "vendor"]), item_id=pl.format("{}", _lot(77, 40))
        ),
    }
    tables = {name: conform(frame, TABLES[name]) for name, frame in made.items()}
    heights = {name: frame.height for name, frame in tables.items()}
    summary = pl.DataFrame({"complete": [True]})
    return Fetched(tables, heights=heights, summary=summary, rejected=pl.DataFrame(), failures=(), fetched_at=NOW)


def before(now: Fetched) -> Fetched:
    """Return the deals of a month before: all are open, and a stage further back."""
    deals = now.deals.with_columns(stage=(pl.col("stage") - 20).clip(lower_bound=0), status=pl.lit("pending"))
    at = now.fetched_at - dt.timedelta(days=30)
    return Fetched(
        {"deals": deals},
        heights={"deals": deals.height},
        summary=now.summary,
        rejected=now.rejected,
        failures=(),
        fetched_at=at,
    )


def _deals(rows: int, people: int) -> pl.DataFrame:
    is_open = pl.col("status") == "pending"
    closed = (pl.col("created_at") + pl.duration(days=_lot(3, 200))).dt.date()
    made = _of(rows).select(
        id=pl.format("d{}", _ROW),
        created_at=_ago(2),
        name=pl.format("Deal {}", _ROW),
        contact_id=pl.format("c{}", _lot(5, people)),
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
        expected_close_date=pl.when(is_open).then(pl.lit(NOW.date()) + pl.duration(days=_lot(10, 200) - 60)),
        close_date=pl.when(~is_open).then(pl.min_horizontal(closed, pl.lit(NOW.date()))),
        lost_reason_id=pl.when(pl.col("status") == "lost").then(pl.format("r{}", _lot(11, 8))),
    )


def _activities(rows: int, people: int) -> pl.DataFrame:
    is_mail = _lot(30, 10) < 4
    return _of(rows).select(
        provider=pl.when(is_mail).then(pl.lit("altcraft")).otherwise(pl.lit("onepagecrm")),
        account=pl.when(is_mail).then(pl.lit("mail")).otherwise(pl.lit("sales")),
        id=pl.format("a{}", _ROW),
        created_at=_ago(31),
        starts_at=_ago(31),
        kind=pl.when(is_mail)
        .then(_one_of(32, ["send", "send", "send", "open", "click"]))
        .otherwise(_one_of(33, ["action", "call", "note", "meeting"])),
        mailing=pl.when(is_mail).then(_one_of(32, ["sent", "sent", "sent", "opened", "clicked"])),
        contact_id=pl.format("c{}", _lot(34, people)),
        deal_id=pl.when(~is_mail & (_lot(35, 2) == 0)).then(pl.format("d{}", _lot(36, rows))),
        owner_id=pl.when(~is_mail).then(pl.format("u{}", _lot(37, OWNERS))),
        due_on=_ago(31).dt.date(),
        done=_one_of(38, [True, False]),
        done_at=_ago(31).dt.date(),
        campaign_id=pl.when(is_mail).then(pl.format("k{}", _lot(39, CAMPAIGNS))),
        subject=pl.format("subject {}", _ROW),
    )


def _contacts(people: int) -> pl.DataFrame:
    """Return everybody in two services, with one address."""
    of_service = [
        _of(people).select(
            provider=pl.lit(provider),
            account=pl.lit(account),
            id=pl.format("c{}", _ROW),
            created_at=_ago(52),
            full_name=pl.format("Person {} {}", _lot(53, 5_000), _lot(54, 9_000)),
            emails=pl.concat_list(pl.format("person{}@example.com", _ROW)),
            owner_id=pl.format("u{}", _lot(55, OWNERS)),
            do_not_contact=_one_of(56, [None, True, False, False]),
        )
        for provider, account in (("onepagecrm", "sales"), ("altcraft", "mail"))
    ]
    return pl.concat(of_service)


def _consent_events(rows: int, people: int) -> pl.DataFrame:
    return _of(rows).select(
        provider=pl.lit("altcraft"),
        account=pl.lit("mail"),
        id=pl.format("e{}", _ROW),
        created_at=_ago(41),
        kind=_one_of(42, ["confirm", "subscribe", "unsubscribe"]),
        opted_in=_one_of(42, [True, True, False]),
        step=_one_of(42, ["confirmation", "request", None]),
        contact_id=pl.format("c{}", _lot(43, people)),
        contact_email=pl.format("person{}@example.com", _lot(43, people)),
        channel=_one_of(44, ["email", "sms", "phone", "letter"]),
        source=_one_of(45, ["form", "shop"]),
        occurred_at=_ago(41),
        has_documentation=_one_of(47, [True, False]),
    )


def _statistics(rows: int) -> pl.DataFrame:
    return _of(rows).select(
        provider=pl.lit("commanders_act"),
        account=pl.lit("web"),
        id=pl.format("b{}", _ROW),
        day=_ago(71).dt.date(),
        banner_id=pl.format("{}", _lot(72, 50)),
        visitors_exposed=_lot(74, 1000) + 500,
        optin=_lot(75, 300),
    )


def _accounted(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(provider=pl.lit("onepagecrm"), account=pl.lit("sales"))


def _of(rows: int) -> pl.DataFrame:
    return pl.select(row=pl.int_range(rows))


def _lot(seed: int, values: int) -> pl.Expr:
    """Return for each row one of so many numbers, from 0; with the same seed always the same."""
    return (_ROW.hash(seed) % values).cast(pl.Int64)


def _one_of(seed: int, values: Sequence[object]) -> pl.Expr:
    return pl.lit(pl.Series(values)).gather(_lot(seed, len(values)))


def _ago(seed: int) -> pl.Expr:
    return (pl.lit(NOW) - pl.duration(minutes=_lot(seed, DAYS * 1440))).dt.cast_time_unit("us")
