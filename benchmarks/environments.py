"""An environment for each contender, built from PyPI when first needed and kept in benchmarks/.envs."""

import shutil
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path

_FOLDER = Path(__file__).parent / ".envs"
#: what crmlab itself uses here, so that a comparison does not compare versions of these
_POLARS, _AIOHTTP = (f"{name}=={version(name)}" for name in ("polars", "aiohttp"))
#: crmlab's own environment is the one that runs the benchmark
_PACKAGES = {
    "hand": (_POLARS, _AIOHTTP, "requests==2.34.2"),
    # the newest sqlglot and pyarrow that this dlt works with
    "dlt": (_POLARS, "dlt[parquet]==1.31.0", "sqlglot==28.10.1", "pyarrow==23.0.1"),
    "airbyte": (_POLARS, "airbyte-cdk==7.39.1"),
    "picture": ("matplotlib==3.11.*",),
}


def python(name: str) -> str:
    """Return the interpreter of an environment, which is built anew when its packages are others now."""
    if name == "crmlab":
        return sys.executable
    home, wanted = _FOLDER / name, "\n".join(_PACKAGES[name])
    stamp, interpreter = (
        home / "packages.txt",
        home / ("Scripts" if sys.platform == "win32" else "bin") / "python",
    )
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"building {home} ...", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
        venv.create(home, with_pip=True)
        pip = [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *_PACKAGES[name]], check=True)
        stamp.write_text(wanted)
    return str(interpreter)
