"""Reports as data: the numbers behind every question, a file or a sheet each, and a manifest of them."""

from __future__ import annotations

import datetime as dt
import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from crmlab import analysis, atomic_files
from crmlab.catalogue import CATALOGUE, SECTIONS, Entry
from crmlab.report.page import TITLE, known_people
from crmlab.report.quality import not_complete
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
    questions_asked = chosen(questions, CATALOGUE)
    moment = as_instant(as_of, "as_of", time_zone)
    people_known = who
    # tokens tell nobody who is who: what was found before masking must be given
    if who is None and not masked:
        people_known = known_people(tables)
    inputs = ReportInputs(tables, people_known, moment, time_zone, asked, summary, earlier, quota)
    # shared by all questions: who is who is found once
    variables = inputs.variables()
    answered: list[Answer | NoAnswer] = []
    for entries in questions_asked.values():
        answered += answers(entries, inputs, variables)

    lines = [_line(answer, asked, summary, format) for answer in answered]
    manifest = {
        "title": title,
        "time_zone": time_zone,
        "masked": masked,
        "fetch": asked.as_json(),
        "as_of": moment.isoformat(),
        "format": format,
        "questions": lines,
    }
    frames: dict[str, pl.DataFrame] = {}
    if format == "xlsx":  # a workbook is passed on alone
        frames[_QUESTIONS] = _as_sheet(manifest, lines)
    for answer in answered:
        if isinstance(answer, Answer):
            frames[answer.entry.name] = answer.numbers
    writers = table_writers(frames, format, parquet_metadata(asked), workbook=WORKBOOK)
    manifest_text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    writers |= text_writers({MANIFEST: lambda _: manifest_text})
    return _replace_all(atomic_files.make_folder(folder), writers)


def _replace_all(folder: Path, writers: Mapping[str, Callable[[Path], object]]) -> list[Path]:
    """Write these files, and remove those of an earlier report that this one does not have, all at once."""
    obsolete = [
        folder / file_name for file_name in _files_of_before(folder) if file_name not in writers
    ]
    new_files = {folder / file_name: writer for file_name, writer in writers.items()}
    return atomic_files.write_files(new_files, remove=obsolete)


def _line(
    answer: Answer | NoAnswer,
    asked: Asked,
    summary: pl.DataFrame,
    format: Format,
) -> dict[str, Any]:
    """Return what the manifest says of a question."""
    entry = answer.entry
    definition, columns = _documented(entry)
    said: dict[str, Any] = {
        "name": entry.name,
        "section": _section(entry),
        "question": entry.question,
        "formula": entry.numbers,
        "definition": definition,
    }
    if isinstance(answer, NoAnswer):
        return {**said, "why": f"Not answered: this needs {answer.lacking}."}

    file = f"{entry.name}.{format}"
    sheet = None
    if format == "xlsx":
        file = WORKBOOK
        sheet = entry.name
    period = _period(entry, asked)
    dtypes = {name: str(dtype) for name, dtype in answer.numbers.schema.items()}
    lacking = _lacking(entry, summary)
    return {
        **said,
        "population": _population(answer),
        "tables": list(entry.reads_tables),
        "complete": not lacking,
        "incomplete_because": lacking,
        "since": _text(period.since),
        "until": _text(period.until),
        "file": file,
        "sheet": sheet,
        "rows": answer.numbers.height,
        "columns": dtypes,
        "columns_hold": columns,
    }


def _documented(entry: Entry) -> tuple[str, str]:
    """Return the definition and the columns as the docstring of the analysis has them."""
    docstring = inspect.getdoc(getattr(analysis, entry.name)) or ""
    # definition, heading, text, heading, text ...
    definition, *sections = _HEADING.split(docstring)
    headings = sections[::2]
    texts = sections[1::2]
    by_heading = dict(zip(headings, texts, strict=True))
    columns = by_heading.get("Returns", "").removeprefix("pl.DataFrame\n")
    return _plain(definition), _plain(columns)


def _plain(text: str) -> str:
    """Return text without line ends and the signs by which docstrings mark code."""
    without_marks = text.replace("`", "")
    words = without_marks.split()
    return " ".join(words)


def _population(answer: Answer) -> str:
    """Return whom the numbers are of, as title and subtitle of the chart say it."""
    title = answer.figure.layout.title
    texts_shown = [title.text, title.subtitle.text]
    if not answer.figure.data:  # where nothing is drawn, it says why
        texts_shown += [annotation.text for annotation in answer.figure.layout.annotations]

    sentences = []
    for text_shown in filter(None, texts_shown):
        in_a_line = Markup(text_shown.replace("<br>", " "))  # noqa: S704  # read only
        sentences.append(in_a_line.striptags())
    return ". ".join(sentences)


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
    is_read = pl.col("table").is_in(entry.reads_tables)
    partial = not_complete(summary).filter(is_read)
    rows = partial.select("table", "account", "note").rows()
    reasons = []
    for table, account, note in rows:
        reasons.append(f"{table} of {account}: {note}")
    return reasons


def _text(time: dt.datetime | None) -> str | None:
    if time is None:
        return None
    return time.isoformat()


def _as_sheet(manifest: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return what the manifest says as a table, a row for each question."""
    columns = (
        "name", "section", "question", "formula", "definition", "population", "complete", "since", "until", "rows",
        "columns_hold", "why",
    )  # fmt: skip
    # said, since a column that no line fills would have no dtype
    schema: dict[str, pl.DataType] = dict.fromkeys(columns, pl.String())
    schema["complete"] = pl.Boolean()
    schema["rows"] = pl.Int64()
    rows = []
    for line in lines:
        # what a question without an answer does not have is null
        rows.append([line.get(column) for column in columns])
    of_the_report = ("title", "as_of", "time_zone", "masked")
    in_every_row = [pl.lit(manifest[name]).alias(name) for name in of_the_report]
    questions = pl.DataFrame(rows, schema=schema, orient="row")
    return questions.with_columns(in_every_row)


def _files_of_before(folder: Path) -> list[str]:
    """Return the files that an earlier report in this folder is made of."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        lines = manifest["questions"]
        noted_files = {question_line["file"] for question_line in lines if "file" in question_line}
    except (OSError, KeyError, TypeError, ValueError):
        return []  # there is none, or it is not ours

    # a manifest that somebody wrote could name any file: no other than those of reports are removed
    report_files = {WORKBOOK}
    for question in CATALOGUE:
        report_files |= {f"{question}.{format}" for format in FORMATS}
    return sorted(noted_files & report_files)
