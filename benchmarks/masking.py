"""What masking of large tables takes: files of many rows, masked batch by batch into others.

python -m benchmarks.masking [ROWS ...]

For each number of rows, contacts with every personal column filled and consent events are written, and masked by
``crmlab.open(folder).export(other, mask=key)`` in a process of its own, whose peak of memory is told. A second process
masks one of the same rows alone, and its tokens must be those of the whole.
"""

import argparse
import datetime as dt
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

import crmlab
from crmlab.results import SUMMARY, Fetched
from crmlab.results.masking import mask
from crmlab.schema.asked import Asked
from crmlab.schema.tables import TABLES, conform

NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
KEY = b"of a benchmark, so no secret"
CHUNK = 250_000
_ROW = pl.col("row")
_PEOPLE = 2 / 3  # so many different people as there are events


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", type=int, default=[1_000_000, 10_000_000])
    parser.add_argument("--job", nargs=2, metavar=("FROM", "TO"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        print(json.dumps(masked(*map(Path, options.job))))
        return 0
    for rows in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            plain, other = Path(folder, "plain"), Path(folder, "masked")
            write(plain, rows)
            words = [sys.executable, "-m", "benchmarks.masking", "--job", str(plain), str(other)]
            measured = json.loads(
                subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
            )
            check(plain, other, rows)
        print(f"{rows:,} contacts and consent events: {measured['seconds']:.0f} s, CPU {measured['cpu']:.0f} s, "
              f"peak {measured['peak']:,} MB, {measured['before']:,} MB before", flush=True)  # fmt: skip
    return 0


def write(folder: Path, rows: int) -> None:
    """Write files as crmlab does, a chunk at a time."""
    empty = {name: TABLES[name].empty() for name in ("contacts", "consent_events")}
    counted = {"complete": True, "rows": rows, "rejected": 0, "misfits": 0, "note": ""}
    summary = pl.DataFrame([{"table": name, **counted} for name in empty], schema=SUMMARY)
    asked = Asked(fetched_at=NOW, tables=tuple(empty))
    data = Fetched(
        empty,
        heights=dict.fromkeys(empty, rows),
        summary=summary,
        rejected=pl.DataFrame(),
        failures=(),
        asked=asked,
    )
    data.export(folder)
    for name, made in {"contacts": contacts, "consent_events": consent_events}.items():
        parts = [
            made(
                pl.LazyFrame({"row": pl.int_range(start, min(start + CHUNK, rows), eager=True)}),
                rows,
            )
            for start in range(0, rows, CHUNK)
        ]
        said = {"crmlab": pl.read_parquet_metadata(folder / f"{name}.parquet")["crmlab"]}
        pl.concat(parts).sink_parquet(folder / f"{name}.parquet", metadata=said)


def contacts(rows: pl.LazyFrame, total: int) -> pl.LazyFrame:
    return _shared("contacts", rows.select(
        provider=pl.lit("altcraft"),
        account=pl.lit("mail"),
        id=pl.format("c{}", _ROW),
        full_name=pl.format("Person {} {}", _ROW % 9_000, _ROW),
        first_name=pl.format("Person {}", _ROW % 9_000),
        last_name=pl.format("{}", _ROW),
        emails=pl.concat_list(pl.format("person{}@example.com", _ROW), pl.format("p{}@example.org", _ROW)),
        phones=pl.concat_list(pl.format("+49 30 {}", _ROW)),
        street=pl.format("Street {}", _ROW % 70_000),
        city=pl.format("City {}", _ROW % 3_000),
        state=pl.format("State {}", _ROW % 20),
        zip_code=pl.format("{}", 10_000 + _ROW % 80_000),
        contact_hash=pl.format("{}", _ROW.hash(1)),
        custom=pl.concat_list(
            pl.struct(key=pl.lit("note"), label=pl.lit("Note"), value=pl.format("Of person {}", _ROW))
        ),
    ))  # fmt: skip


def consent_events(rows: pl.LazyFrame, total: int) -> pl.LazyFrame:
    person = (_ROW.hash(2) % max(1, int(total * _PEOPLE))).cast(pl.Int64)
    return _shared("consent_events", rows.select(
        provider=pl.lit("altcraft"),
        account=pl.lit("mail"),
        id=pl.format("e{}", _ROW),
        kind=pl.lit("subscribe"),
        contact_id=pl.format("c{}", person),
        contact_email=pl.format("person{}@example.com", person),
        channel=pl.lit("email"),
    ))  # fmt: skip


def _shared(name: str, frame: pl.LazyFrame) -> pl.LazyFrame:
    schema = TABLES[name].schema
    known = frame.collect_schema().names()
    lacking = [
        pl.lit(None, dtype).alias(column) for column, dtype in schema.items() if column not in known
    ]
    return frame.with_columns(lacking).select(
        pl.col(column).cast(dtype) for column, dtype in schema.items()
    )


def masked(plain: Path, other: Path) -> dict[str, float]:
    data = crmlab.open(plain)
    before = _peak()
    started, cpu = time.monotonic(), time.process_time()
    data.export(other, mask=KEY)
    return {
        "seconds": time.monotonic() - started,
        "cpu": time.process_time() - cpu,
        "peak": _peak(),
        "before": before,
    }


def check(plain: Path, other: Path, rows: int) -> None:
    """Raise where a row is lost, plain, or masked otherwise than alone."""
    found = crmlab.open(other)
    assert found.is_masked
    for name in ("contacts", "consent_events"):
        tokens = found[name].slice(rows - 3, 3).collect()
        alone = mask({name: crmlab.open(plain)[name].slice(rows - 3, 3)}, KEY)[name]
        assert found[name].select(pl.len()).collect().item() == rows
        assert conform(tokens, TABLES[name]).equals(conform(alone, TABLES[name]))
        assert "erson" not in str(tokens.to_dicts())


def _peak() -> int:
    """Return the most memory that the process had, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1_000_000 if sys.platform == "darwin" else 1_000)


if __name__ == "__main__":
    sys.exit(main())
