"""Writing back: rows of a frame into a service, each sent once, with what became of it on disk while it is known."""

from __future__ import annotations

from crmlab.pushing.push import push
from crmlab.pushing.push_plan import PushPlan
from crmlab.pushing.pushed import Pushed
from crmlab.pushing.updates import updates

__all__ = [
    "PushPlan",
    "Pushed",
    "push",
    "updates",
]
