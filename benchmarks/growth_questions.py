"""The dearest questions, each asked of crmlab and in SQL, and what of the answers is compared."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from benchmarks.million import NOW, earlier_deals
from crmlab import analysis

Tables = Mapping[str, pl.LazyFrame]
_BEFORE = NOW - dt.timedelta(days=30)
#: two engines multiply hundreds of thousands of fractions in different order
_OF_PRODUCTS = {"survival": 6}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of lazy tables, and the columns of the answer that are compared."""

    ask: Callable[[Tables], pl.DataFrame]
    compared: tuple[str, ...]
    #: to how many significant figures a fraction is compared, if not to nine
    figures: Mapping[str, int] = field(default_factory=dict)

    def digest(self, answer: pl.LazyFrame) -> tuple[int, int]:
        """Return a number of the rows in whatever order, and how many there are."""
        schema = answer.collect_schema()
        alike = []
        for name in self.compared:
            column = pl.col(name)
            if schema[name].is_float():
                alike.append(column.round_sig_figs(self.figures.get(name, 9)).cast(pl.Float64))
            elif schema[name].is_integer():
                alike.append(column.cast(pl.Int64))
            elif isinstance(schema[name], pl.Datetime):
                alike.append(column.dt.epoch("us"))
            else:
                alike.append(column.cast(pl.String))
        row = pl.struct(alike).hash(seed=7) % 2**32
        digest, rows = (
            answer.select(row.sum().alias("digest"), pl.len()).collect(engine="streaming").row(0)
        )
        return int(digest), int(rows)


def _people_of(tables: Tables) -> pl.LazyFrame:
    """Return who is who where every contact of a number is one person, as in these tables: two services."""
    key = (pl.col("provider"), pl.col("account"), pl.col("id"))
    return tables["contacts"].select(*key, person_id=pl.format("altcraft/mail/{}", "id"))


QUESTIONS: Mapping[str, Question] = {
    "current_consent": Question(
        lambda tables: analysis.current_consent(tables["consent_events"], as_of=NOW),
        ("subject", "channel", "decision", "decided_at"),
    ),
    "current_consent_by_email": Question(
        lambda tables: analysis.current_consent(
            tables["consent_events"], as_of=NOW, subject="email"
        ),
        ("subject", "channel", "decision", "decided_at"),
    ),
    "consent_rate": Question(
        lambda tables: analysis.consent_rate(tables["consent_events"], as_of=NOW, by="channel"),
        ("channel", "opted_in", "decided"),
    ),
    "documentation_coverage": Question(
        lambda tables: analysis.documentation_coverage(
            tables["consent_events"], as_of=NOW, by="channel"
        ),
        ("channel", "consents", "documented", "undocumented", "not_said", "with_source"),
    ),
    "consent_survival": Question(
        lambda tables: analysis.consent_survival(tables["consent_events"], as_of=NOW, by="channel"),
        ("channel", "days", "at_risk", "survival"),
        _OF_PRODUCTS,
    ),
    "waterfall": Question(
        lambda tables: analysis.waterfall(earlier_deals(tables["deals"]), tables["deals"]),
        ("currency", "step", "deals", "amount"),
    ),
    "stage_history": Question(
        lambda tables: analysis.stage_history(
            [(_BEFORE, earlier_deals(tables["deals"])), (NOW, tables["deals"])],
        ),
        ("deal_id", "stage", "entry", "exit", "entered_at", "left_at"),
    ),
    "activities_after_opt_out": Question(
        lambda tables: analysis.activities_after_opt_out(
            tables["activities"], tables["consent_events"], _people_of(tables), as_of=NOW
        ),
        ("happened_at", "channel", "id", "person_id", "opted_out_at", "opt_out_id"),
    ),
    "people": Question(
        lambda tables: analysis.people(tables["contacts"]),
        ("provider", "id", "person_id"),
    ),
    "time_to_confirm": Question(
        lambda tables: analysis.time_to_confirm(tables["consent_events"], as_of=NOW, by="channel"),
        ("channel", "days", "at_risk", "survival"),
        _OF_PRODUCTS,
    ),
    "mailed_but_objected": Question(
        lambda tables: analysis.mailed_but_objected(
            tables["contacts"],
            tables["subscriptions"],
            tables["activities"],
            tables["consent_events"],
            _people_of(tables),
            as_of=NOW,
        ),
        ("provider", "contact_id", "person_id", "objection", "objected_id"),
    ),
}
