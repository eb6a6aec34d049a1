"""What many users write first: requests, one page after the other, a list of dicts, pl.DataFrame."""

import polars as pl
import requests

from benchmarks.measure import LISTS, Task, asked, run


def fetch(task: Task) -> dict[str, pl.DataFrame]:
    with requests.Session() as session:
        session.auth = (task.user, task.key)
        return {
            name: pl.DataFrame(_rows(session, task.url, name), infer_schema_length=None)
            for name in LISTS
        }


def _rows(session: requests.Session, url: str, name: str) -> list[dict]:
    rows: list[dict] = []
    page = last = 1
    while page <= last:
        answer = session.get(f"{url}/{name}", params=asked(page))
        answer.raise_for_status()
        data = answer.json()["data"]
        rows += [item[name[:-1]] for item in data[name]]
        page, last = page + 1, data["max_page"]
    return rows


if __name__ == "__main__":
    run(fetch, "requests")
