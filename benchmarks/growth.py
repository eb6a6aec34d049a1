"""How time and memory of the dearest questions grow with the rows of the tables, which lie in Parquet files.

python -m benchmarks.growth [--rows 10000 100000 1000000] [--runs 3] [--folder DIR] [--questions NAME ...]

The files are written once into the folder. Each question is a process of its own, so that the peak is its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.million import height_of, table

TABLES = ("deals", "activities", "contacts", "consent_events", "subscriptions", "campaigns")
SLICE = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "crmlab-growth")
    parser.add_argument("--questions", nargs="+", required=True)
    parser.add_argument("--engines", nargs="+", default=["crmlab"])
    options = parser.parse_args()
    for rows in options.rows:
        folder = written(options.folder, rows)
        for name in options.questions:
            for engine in options.engines:
                print(json.dumps({"table_rows": rows, **asked(name, folder, engine)}), flush=True)


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


def asked(name: str, folder: Path, engine: str) -> dict[str, object]:
    command = [sys.executable, "-m", "benchmarks.growth_child", name, str(folder), engine]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"question": name, "engine": engine, "failed": done.stderr.strip().splitlines()[-1:]}
    return dict(json.loads(done.stdout))


if __name__ == "__main__":
    main()
