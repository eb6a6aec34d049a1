"""Reports as data: the numbers behind every question, a file or a sheet each, and a manifest of them."""

from __future__ import annotations

import datetime as dt
import inspect
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from crmlab import analysis, atomic_files
from crmlab.catalogue import CATALOGUE, SECTIONS, Entry
from crmlab.report.page import TITLE, known_people
from crmlab.report.questions import Answer, NoAnswer, Quota, ReportInputs, answers, chosen
from crmlab.results import FORMATS, Format, Result, parquet_metadata, table_writers, text_writers
from crmlab.schema import Asked, Period, TimeLike, as_instant

#: the manifest, and the workbook
MANIFEST = "report.json"
WORKBOOK = "report.xlsx"
#: the sheet of the workbook that says what the manifest says
_QUESTIONS = "questions"
#: a heading of a docstring: a line with hyphens below
_HEADING = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)


def write_numbers(
    folder: str | Path,
    tables: Mapping[str, pl.DataFrame],
    summary: pl.DataFrame,
    format: Format,
    *,
    who: pl.DataFrame | None = None,
    as_of: TimeLike,
    asked: Asked,
    masked: bool = False,
    title: str = TITLE,
    time_zone: str = "UTC",
    questions: Iterable[str] | None = None,
    earlier: Result[Any] | None = None,
    quota: Quota | None = None,
) -> list[Path]:
    """Write the numbers that answer each question, and ``report.json``; return the paths.

    The numbers of a question are what its function in `crmlab.analysis` returns, whole: where a page counts deals or
    people, here is a row for each, with its id and name. All files are replaced together or not at all, and those of an
    earlier report in the same folder that this one does not have are removed.

    ``report.json`` says of the report: title, as_of, time_zone, masked, what was asked (as ``crmlab.json`` says it).
    Of each question: name, section, question, formula (the code, and the definition in words), population (title and
    subtitle of its chart), tables, complete (whether these came whole), incomplete_because (what they lack, and why),
    since and until (the period that they hold), file, sheet, rows, columns with their dtypes and what they hold. A
    question without an answer has ``why`` instead.

    Parameters
    ----------
    folder
        Where to; it is made where it is not there.
    tables, summary, who, as_of, asked, masked, title, time_zone, earlier, quota
        As of `crmlab.report.write`.
    format
        ``"csv"`` or ``"parquet"``: a file for each question, named after it. ``"xlsx"``: ``report.xlsx`` with a sheet
        for each, and the sheet "questions" with what the manifest says. All as safe to open as those of an export.
    questions
        Names of questions; None: all of the catalogue.

    Raises
    ------
    UsageError
        `format`, `time_zone` or a question is not known, `as_of` has no time zone, or the folder is none or not ours to
        write to. Nothing was written.
    """
    asked_for = chosen(questions, CATALOGUE)
    now = as_instant(as_of, "as_of", time_zone)
    people_known = known_people(tables) if who is None and not masked else who
    inputs = ReportInputs(tables, people_known, now, time_zone, asked, summary, earlier, quota)
    variables = inputs.variables()
    given = [
        answer for entries in asked_for.values() for answer in answers(entries, inputs, variables)
    ]

    frames = {answer.entry.name: answer.numbers for answer in given if isinstance(answer, Answer)}
    lines = [_line(answer, asked, summary, format) for answer in given]
    manifest = {
        "title": title,
        "time_zone": time_zone,
        "masked": masked,
        "fetch": asked.as_json(),
        "as_of": now.isoformat(),
        "format": format,
        "questions": lines,
    }
    if format == "xlsx":  # a workbook is passed on alone
        frames = {_QUESTIONS: _as_sheet(manifest, lines), **frames}
    writers = table_writers(frames, format, parquet_metadata(asked), workbook=WORKBOOK)
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    writers |= text_writers({MANIFEST: lambda _: text})
    place = atomic_files.make_folder(folder)
    remove = [place / name for name in _files_of_before(place) if name not in writers]
    return atomic_files.write_files(
        {place / name: write for name, write in writers.items()}, remove=remove
    )


def _line(
    answer: Answer | NoAnswer, asked: Asked, summary: pl.DataFrame, format: Format
) -> dict[str, Any]:
    """Return what the manifest says of a question."""
    entry = answer.entry
    definition, columns = _documented(entry)
    period = _period(entry, asked)
    said: dict[str, Any] = {
        "name": entry.name,
        "section": _section(entry),
        "question": entry.question,
        "formula": entry.numbers,
        "definition": definition,
    }
    if isinstance(answer, NoAnswer):
        return {**said, "why": f"Not answered: this needs {answer.lacking}."}
    lacking = _lacking(entry, summary)
    file = WORKBOOK if format == "xlsx" else f"{entry.name}.{format}"
    return {
        **said,
        "population": _population(answer),
        "tables": list(entry.reads_tables),
        "complete": not lacking,
        "incomplete_because": lacking,
        "since": _text(period.since),
        "until": _text(period.until),
        "file": file,
        "sheet": entry.name if format == "xlsx" else None,
        "rows": answer.numbers.height,
        "columns": {name: str(dtype) for name, dtype in answer.numbers.schema.items()},
        "columns_hold": columns,
    }


def _documented(entry: Entry) -> tuple[str, str]:
    """Return the definition and the columns as the docstring of the analysis has them."""
    text = inspect.getdoc(getattr(analysis, entry.name)) or ""
    # definition, heading, text, heading, text ...
    definition, *sections = _HEADING.split(text)
    by_heading = dict(zip(sections[::2], sections[1::2], strict=True))
    return _plain(definition), _plain(by_heading.get("Returns", "").removeprefix("pl.DataFrame\n"))


def _plain(text: str) -> str:
    """Return text without line ends and the signs by which docstrings mark code."""
    return " ".join(text.replace("``", "").replace("`", "").split())


def _population(answer: Answer) -> str:
    """Return whom the numbers are of, as title and subtitle of the chart say it."""
    title = answer.figure.layout.title
    said = [title.text, title.subtitle.text]
    if not answer.figure.data:  # where nothing is drawn, it says why
        said += [annotation.text for annotation in answer.figure.layout.annotations]
    texts = [Markup(text.replace("<br>", " ")).striptags() for text in said if text]  # noqa: S704  # read only
    return ". ".join(texts)


def _section(entry: Entry) -> str:
    return next(heading for heading, entries in SECTIONS.items() if entry in entries)


def _period(entry: Entry, asked: Asked) -> Period:
    """Return the period that all tables of a question have in common."""
    common = Period()
    for period in asked.bounded(entry.reads_tables).values():
        common = common.within(period)
    return common


def _lacking(entry: Entry, summary: pl.DataFrame) -> list[str]:
    """Return what the tables of a question lack, and why."""
    bad = summary.filter(
        pl.col("table").is_in(entry.reads_tables), ~pl.col("complete").fill_null(value=False)
    )
    return [
        f"{table} of {account}: {note}"
        for table, account, note in bad.select("table", "account", "note").rows()
    ]


def _text(time: dt.datetime | None) -> str | None:
    return time.isoformat() if time else None


def _as_sheet(manifest: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return what the manifest says as a table, a row for each question."""
    names = (
        "name", "section", "question", "formula", "definition", "population", "complete", "since", "until", "rows",
        "columns_hold", "why",
    )  # fmt: skip
    schema = {name: pl.String() for name in names} | {"complete": pl.Boolean(), "rows": pl.Int64()}
    rows = [{name: line.get(name) for name in names} for line in lines]
    of_all = [
        pl.lit(manifest[name]).alias(name) for name in ("title", "as_of", "time_zone", "masked")
    ]
    return pl.DataFrame(rows, schema=schema).with_columns(of_all)


def _files_of_before(folder: Path) -> list[str]:
    """Return the files that an earlier report in this folder is made of."""
    try:
        lines = json.loads((folder / MANIFEST).read_bytes())["questions"]
        names = {line["file"] for line in lines if "file" in line}
    except (OSError, KeyError, TypeError, ValueError):
        return []  # there is none, or it is not ours
    ours = {WORKBOOK, *(f"{name}.{format}" for name in CATALOGUE for format in FORMATS)}
    return sorted(name for name in names if name in ours)
