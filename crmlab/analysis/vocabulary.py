"""What the services' words mean: which events and states are an opt-in, which an opt-out.

The one place that says so. A word that is not here decides nothing, but is never dropped: `kinds` shows how
each was read, and what is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import polars as pl

from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import read

__all__ = ["consent_kinds"]

OPT_IN, OPT_OUT = "opt-in", "opt-out"
#: known, and no decision of the person
NEITHER = "neither"
#: the event's own `opted_in` tells
AS_SAID = "as said"

#: provider -> kind of event in lower case -> its meaning. Altcraft's list of actions is not public: these
#: are the spellings to be expected, as in its provider. A bounce ends the mailing, not the consent
EVENTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "altcraft": {
            **dict.fromkeys(("subscribe", "sub", "confirm"), OPT_IN),
            **dict.fromkeys(("unsubscribe", "unsub", "complain", "complaint", "spam", "fbl"), OPT_OUT),
            **dict.fromkeys(("suspend", "hardbounce", "hard_bounce"), NEITHER),
        },
        # confirm: the contact looked at the data and left them as they are, a refusal too
        "complero": {
            **dict.fromkeys(("confirm", "update"), AS_SAID),
            **dict.fromkeys(("create", "sync", "documentation"), NEITHER),
        },
    }
)
#: state of a subscription in lower case -> its meaning
STATES: Mapping[str, str] = MappingProxyType(
    {
        "subscribed": OPT_IN,
        **dict.fromkeys(("unsubscribed", "complained"), OPT_OUT),
        **dict.fromkeys(("unconfirmed", "hardbounced", "suspended", "invalid"), NEITHER),
    }
)
#: kinds that ask for a confirmation, and those that are one (https://api.complero.com/docs/glossary)
REQUESTS = ("subscribe", "sub", "create")
CONFIRMATIONS = ("confirm",)

_KIND = pl.col("kind").str.to_lowercase()


def decided(consent_events: pl.DataFrame) -> pl.DataFrame:
    """Return the events with their meaning (null where the kind is not known) and the decision.

    The decision is "opt-in" or "opt-out", null where the event is neither. Of services whose words are not known here,
    such as that of one's own data, `opted_in` tells it. Reads provider, kind, opted_in.
    """
    of_known = [
        pl.when(pl.col("provider") == provider).then(
            _KIND.replace_strict(meanings, default=None, return_dtype=pl.String)
        )
        for provider, meanings in EVENTS.items()
    ]
    # of a further service only what its events say themselves
    is_further = ~pl.col("provider").cast(pl.String).is_in(list(EVENTS))
    words = pl.coalesce(*of_known, pl.when(is_further).then(pl.lit(AS_SAID)))
    key = ["provider", "kind"]
    # there are few kinds, and many events
    known = consent_events.select(key).unique().with_columns(words.alias("meaning"))
    meaning, yes = pl.col("meaning"), pl.col("opted_in")
    said = pl.when(yes).then(pl.lit(OPT_IN)).when(~yes).then(pl.lit(OPT_OUT))
    is_decision = (meaning == OPT_IN) | (meaning == OPT_OUT)
    return consent_events.join(known, on=key, how="left", nulls_equal=True, maintain_order="left").with_columns(
        pl.when(meaning == AS_SAID).then(said).when(is_decision).then(meaning).alias("decision")
    )


def is_kind(kinds: Iterable[str]) -> pl.Expr:
    """Return whether the event is of one of these kinds, whatever their case."""
    return _KIND.is_in([kind.lower() for kind in kinds])


@answers("period")
def consent_kinds(consent_events: pl.DataFrame) -> pl.DataFrame:
    """Return how each kind of consent event is read: as an opt-in, an opt-out or neither.

    Parameters
    ----------
    consent_events
        Reads provider, kind, opted_in.

    Returns
    -------
    pl.DataFrame
        Sorted; one row per provider and kind: provider (Categorical), kind (String, the service's word),
        events, opt_ins, opt_outs, neither (Int64, events; events = opt_ins + opt_outs + neither),
        known (Boolean, false: this library does not know the word, so it is neither).

    Notes
    -----
    Complero's words: https://api.complero.com/docs/glossary. Altcraft's: https://guides.altcraft.com.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"provider": ["complero", "complero", "altcraft"], "kind": ["update", "update", "smiled"],
    ...         "opted_in": [True, False, None]}
    >>> consent_kinds(conform(pl.DataFrame(rows), TABLES["consent_events"]))
    shape: (2, 7)
    ┌──────────┬────────┬────────┬─────────┬──────────┬─────────┬───────┐
    │ provider ┆ kind   ┆ events ┆ opt_ins ┆ opt_outs ┆ neither ┆ known │
    │ ---      ┆ ---    ┆ ---    ┆ ---     ┆ ---      ┆ ---     ┆ ---   │
    │ cat      ┆ str    ┆ i64    ┆ i64     ┆ i64      ┆ i64     ┆ bool  │
    ╞══════════╪════════╪════════╪═════════╪══════════╪═════════╪═══════╡
    │ altcraft ┆ smiled ┆ 1      ┆ 0       ┆ 0        ┆ 1       ┆ false │
    │ complero ┆ update ┆ 2      ┆ 1       ┆ 1        ┆ 0       ┆ true  │
    └──────────┴────────┴────────┴─────────┴──────────┴─────────┴───────┘
    """
    made = pl.col("decision")
    return (
        decided(read(consent_events, "consent_events", "provider", "kind", "opted_in"))
        .group_by("provider", "kind")
        .agg(
            pl.len().cast(pl.Int64).alias("events"),
            (made == OPT_IN).sum().cast(pl.Int64).alias("opt_ins"),
            (made == OPT_OUT).sum().cast(pl.Int64).alias("opt_outs"),
            made.null_count().cast(pl.Int64).alias("neither"),
            pl.col("meaning").is_not_null().any().alias("known"),
        )
        .sort("provider", "kind", nulls_last=True)
    )
