"""dlt's rest_api source in its fastest form: resources in parallel, Parquet files, nested fields as JSON."""

import tempfile
from pathlib import Path

import dlt
import dlt.destinations.impl.filesystem.filesystem  # else loaded when first used
import polars as pl
import pyarrow.parquet  # noqa: F401  # same
from dlt.sources.helpers.requests import Client
from dlt.sources.rest_api import RESTAPIConfig, rest_api_source

from benchmarks.measure import LISTS, Task, asked, run


def fetch(task: Task) -> dict[str, pl.DataFrame]:
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "bench",
            pipelines_dir=f"{folder}/pipelines",
            destination=dlt.destinations.filesystem(f"{folder}/out"),
            dataset_name="crm",
        )
        source = rest_api_source(_config(task), max_table_nesting=0, parallelized=True)
        pipeline.run(source, loader_file_format="parquet", write_disposition="replace")
        files = {name: sorted(Path(folder, "out/crm", name).glob("*.parquet")) for name in LISTS}
        # a later file may have columns that an earlier one has not
        return {
            name: pl.concat(map(pl.read_parquet, found), how="diagonal")
            for name, found in files.items()
        }


def _config(task: Task) -> RESTAPIConfig:
    # OnePageCRM refuses with 403, which dlt does not try again unless told so
    session = Client(status_codes=(403, 429, 500, 502, 503, 504)).session
    params = {name: value for name, value in asked(1).items() if name != "page"}
    return {
        "client": {
            "base_url": task.url,
            "auth": {"type": "http_basic", "username": task.user, "password": task.key},
            "paginator": {"type": "page_number", "base_page": 1, "total_path": "data.max_page"},
            "session": session,
        },
        "resource_defaults": {"write_disposition": "replace"},
        "resources": [
            {
                "name": name,
                "endpoint": {
                    "path": name,
                    "params": params,
                    "data_selector": f"data.{name}[*].{name[:-1]}",
                },
            }
            for name in LISTS
        ],
    }


if __name__ == "__main__":
    run(fetch, "dlt", "pyarrow")
