"""An asset of Dagster that is a lake, brought up to date each morning."""

import json
import subprocess

import dagster

COMMAND = ("/srv/crmlab/.venv/bin/crmlab", "refresh", "warehouse", "--sweep-after", "7d")
CONDITIONS = ("--fail-if", "mailed_but_objected > 0")
#: asked wrongly, a condition that is true, a refused key: trying again changes nothing
FOR_A_PERSON = (2, 3, 4)


@dagster.asset(retry_policy=dagster.RetryPolicy(max_retries=3, delay=900))
def lake() -> dagster.MaterializeResult:
    """Refresh, and show what it did beside the asset."""
    command = [*COMMAND, *CONDITIONS, "--json"]
    done = subprocess.run(  # noqa: S603
        command, cwd="/srv/crmlab", stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        why = done.stdout or f"crmlab ended with {done.returncode}"
        raise dagster.Failure(why, allow_retries=done.returncode not in FOR_A_PERSON)
    line = json.loads(done.stdout)
    changed = sum(sum(counts.values()) for counts in line["tables"].values())
    return dagster.MaterializeResult(
        metadata={"changed": changed, "requests": line["requests"], "line": line}
    )


refresh = dagster.define_asset_job("refresh", [lake])
defs = dagster.Definitions(
    assets=[lake],
    jobs=[refresh],
    schedules=[
        dagster.ScheduleDefinition(
            job=refresh, cron_schedule="15 5 * * *", execution_timezone="Europe/Berlin"
        )
    ],
)
