"""How time and memory of the dearest questions grow with the rows of the tables, which lie in Parquet files.

python -m benchmarks.growth [--rows 10000 100000 1000000] [--questions NAME ...] [--engines crmlab duckdb]

The files are written once into a folder (--folder); 10,000,000 rows take 0.6 GB. Each question is a process of its own,
so that the peak is its own. What was measured is kept in growth.json, a later run in place of an earlier one, and
growth.svg is drawn of all of it. Where both engines answered, their answers are compared.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks import growth_picture
from benchmarks.growth_questions import QUESTIONS
from benchmarks.growth_sql import SQL
from benchmarks.million import height_of, table

TABLES = ("deals", "activities", "contacts", "consent_events", "subscriptions")
RESULTS = Path(__file__).parent / "growth.json"
SLICE = 1_000_000

Run = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()) / "crmlab-growth"
    )
    parser.add_argument("--questions", nargs="+", default=list(QUESTIONS), choices=list(QUESTIONS))
    parser.add_argument(
        "--engines", nargs="+", default=["crmlab", "duckdb"], choices=["crmlab", "duckdb"]
    )
    options = parser.parse_args()
    for rows in options.rows:
        folder = written(options.folder, rows)
        for question in options.questions:
            for engine in options.engines:
                if engine == "duckdb" and question not in SQL:
                    continue
                found = {"table_rows": rows, **asked(question, folder, engine)}
                print(json.dumps(found), flush=True)
                if "failed" not in found:
                    keep([found])
    known = kept()
    growth_picture.draw(known)
    different = differences(known)
    print("\n".join(different) or "the answers of both engines are equal")
    return 1 if different else 0


def written(parent: Path, rows: int) -> Path:
    """Write the tables that are not there yet, in files of a million rows, and return their folder."""
    folder = parent / str(rows)
    for name in TABLES:
        for start in range(0, height_of(name, rows), SLICE):
            file = folder / name / f"{start // SLICE:04}.parquet"
            if file.exists():
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            table(name, rows, start, start + SLICE).write_parquet(part)
            part.rename(file)
    return folder


def asked(question: str, folder: Path, engine: str) -> Run:
    """Return what a process of its own took for a question, or why it failed."""
    command = [sys.executable, "-m", "benchmarks.growth_child", question, str(folder), engine]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {
            "question": question,
            "engine": engine,
            "failed": done.stderr.strip().splitlines()[-1:],
        }
    found: Run = json.loads(done.stdout)
    return found


def kept() -> list[Run]:
    """Return what was measured so far."""
    if not RESULTS.exists():
        return []
    found: list[Run] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def keep(runs: Iterable[Run]) -> None:
    """Keep runs in place of those of the same question, engine and rows."""
    known = {_key(run): run for run in [*kept(), *runs]}
    lines = ",\n".join(json.dumps(known[key]) for key in sorted(known))
    RESULTS.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def differences(runs: Iterable[Run]) -> list[str]:
    """Return in words where the engines answered differently."""
    answers: dict[tuple[str, int], set[tuple[int, int]]] = {}
    for run in runs:
        if "digest" not in run:
            continue
        answers.setdefault((run["question"], run["table_rows"]), set()).add(
            (run["rows"], run["digest"])
        )
    return [
        f"{question} of {rows:,} rows differs"
        for (question, rows), found in answers.items()
        if len(found) > 1
    ]


def _key(run: Run) -> tuple[str, str, int]:
    return run["question"], run["engine"], run["table_rows"]


if __name__ == "__main__":
    sys.exit(main())
