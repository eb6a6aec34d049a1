"""The notebooks, as pages that are run when they are built."""

from __future__ import annotations

import json
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "notebooks"


def pages() -> dict[str, str]:
    """Return each page by its path."""
    found = sorted(FOLDER.glob("*.ipynb"))
    toctree = "\n".join(path.stem for path in found)
    index = f"""# Notebooks

These are the notebooks in the folder `notebooks` of the project. They were run from top to bottom on the sandbox when
these pages were built. You can hover over the figures and zoom into them.

```{{toctree}}
:maxdepth: 1

{toctree}
```
"""
    return {"notebooks/index.md": index} | {
        f"notebooks/{path.name}": _runnable(path) for path in found
    }


def _runnable(path: Path) -> str:
    """Return the notebook without what its author's machine called its kernel."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["metadata"]["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    return json.dumps(notebook)
