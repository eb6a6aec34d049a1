"""A fetch whose every text is an attack: names, ids, stages, tags, and what could not be read."""

from __future__ import annotations

import polars as pl

import crmlab
from crmlab.errors import ApiError

#: each sets `window.ran` where anything of it is run, or asks a stranger's server
ATTACK = (
    '"\'><img src=x onerror="window.ran=1"><script>window.ran=2</script></script></title>'
    '<svg onload=window.ran=3><a href="javascript:window.ran=4">Ann</a>'
    '<link rel=stylesheet href="https://evil.example/x.css">'
    "{{ 7 * 7 }}${window.ran=5}<!--\u202e\x1b[31m "
)
#: what a figure or a table reads as one of a few words, and not as anybody's text
_WORDS = {"account", "channel", "country", "currency", "kind", "language", "provider", "status"}


def attacked_frame(frame: pl.DataFrame, attack: str) -> pl.DataFrame:
    """Put the attack before each text, so that what was equal is equal still and tables join."""
    texts = [
        name for name, dtype in frame.schema.items() if dtype == pl.String and name not in _WORDS
    ]
    lists = [name for name, dtype in frame.schema.items() if dtype == pl.List(pl.String)]
    in_lists = [pl.col(name).list.eval(attack + pl.element()) for name in lists]
    in_columns = [(attack + pl.col(name)).alias(name) for name in texts]
    return frame.with_columns(*in_columns, *in_lists)


def attacked(data: crmlab.Fetched, attack: str = ATTACK) -> crmlab.Fetched:
    """Return every table attacked, and what a service may say of itself."""
    places = ("provider", "account", "resource", "id", "field", "reason", "raw")
    misfits = pl.DataFrame({place: [attack] for place in places})
    return crmlab.Fetched(
        {name: attacked_frame(frame, attack) for name, frame in data.items()},
        heights={name: frame.height for name, frame in data.items()},
        summary=data.summary.with_columns(note=pl.lit(attack)),
        rejected=misfits.select("provider", "account", "resource", "reason", "raw"),
        misfits=misfits,
        failures=[ApiError(500, attack, attack)],
        asked=data.asked,
    )


async def fetched(rows: int) -> crmlab.Fetched:
    """Return every table of a sandbox, attacked."""
    async with crmlab.sandbox(rows=rows) as accounts:
        return attacked(await crmlab.fetch(accounts, progress=False))
