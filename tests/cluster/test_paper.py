"""The tables on the page about clusters are those that are reckoned."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks import cluster_paper

ROOT = Path(__file__).parents[2]


def test_the_page_shows_what_is_reckoned() -> None:
    page = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8").splitlines()
    reckoned = [*cluster_paper.requests(), *cluster_paper.machines()]

    assert len(reckoned) == 14
    assert [line for line in reckoned if line not in page] == []


def test_a_lake_without_a_cluster_loads_no_dask() -> None:
    code = "import sys, crmlab; crmlab.Lake; sys.exit(any(m in sys.modules for m in ('dask', 'distributed')))"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
