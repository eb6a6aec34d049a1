"""How many consent events each account has, by month, over all machines of a Dask cluster.

``python dask_over_a_lake.py warehouse tcp://127.0.0.1:8786``

Dask DataFrame reads the files of the lake where its workers are. It needs ``dask[dataframe]``, ``distributed``,
``deltalake`` and ``pyarrow`` there, and no crmlab. Each file is read by one worker, and only the columns that are
asked for.
"""

import json
import sys
from pathlib import Path

import dask.dataframe as dd
import pandas as pd
from deltalake import DeltaTable
from distributed import Client

COLUMNS = ["account", "occurred_at"]


def current_files(lake: str, table: str) -> list[str]:
    """Return the files of a table that hold what is current: superseded versions are in others."""
    delta = DeltaTable(f"{lake}/tables/{table}", version=version_of(lake, table))
    return delta.file_uris(partition_filters=[("is_current", "=", "true")])


def version_of(lake: str, table: str) -> int:
    """Return which version of a table the last refresh has published: a later one is of a refresh under way."""
    states = DeltaTable(f"{lake}/state").to_pyarrow_table(columns=["seq", "document"])
    rows = states.to_pylist()
    newest = max(rows, key=lambda row: row["seq"])
    return json.loads(newest["document"])["versions"][table]


def read(file: str) -> pd.DataFrame:
    """Return the columns of one file."""
    return pd.read_parquet(file, columns=COLUMNS)


def main(lake: str, scheduler: str) -> pd.Series:
    with Client(scheduler):
        events = dd.from_map(read, current_files(str(Path(lake).absolute()), "consent_events"))
        month = events["occurred_at"].dt.strftime("%Y-%m")
        return events.assign(month=month).groupby(["account", "month"]).size().compute()


if __name__ == "__main__":
    print(main(*sys.argv[1:]).sort_index().to_string())
