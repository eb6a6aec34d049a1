"""A DAG of Airflow that brings a lake up to date each morning."""

import json
import subprocess
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

COMMAND = ("/srv/crmlab/.venv/bin/crmlab", "refresh", "warehouse", "--sweep-after", "7d")
CONDITIONS = ("--fail-if", "mailed_but_objected > 0")
#: asked wrongly, a condition that is true, a refused key: trying again changes nothing
FOR_A_PERSON = (2, 3, 4)


@task(retries=3, retry_delay=timedelta(minutes=15), execution_timeout=timedelta(hours=2))
def refresh() -> dict[str, Any]:
    """Refresh, and hand on what it did to the tasks that follow."""
    command = [*COMMAND, *CONDITIONS, "--json"]
    done = subprocess.run(  # noqa: S603
        command, cwd="/srv/crmlab", stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode in FOR_A_PERSON:
        raise AirflowFailException(done.stdout or f"crmlab ended with {done.returncode}")
    if done.returncode:
        raise AirflowException(done.stdout or f"crmlab ended with {done.returncode}")
    line: dict[str, Any] = json.loads(done.stdout)
    return line


@dag(schedule="15 5 * * *", start_date=datetime(2026, 1, 1), catchup=False, max_active_runs=1)  # noqa: DTZ001  # UTC
def crmlab_refresh() -> None:
    """Bring the lake up to date."""
    refresh()


crmlab_refresh()
