"""A fetch in the place of frames, for figures: as for the analyses that they draw."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, cast

import plotly.graph_objects as go

from crmlab import analysis
from crmlab.analysis.fetches import Answer, Call
from crmlab.plots.notes import with_note

P = ParamSpec("P")


def draws(function: Callable[P, go.Figure]) -> Answer[P, go.Figure]:
    """Let a figure take a fetch in the place of its frames, like the analysis of the same name.

    What needs everything refuses a fetch of a period; what does not says the period in its subtitle.
    """
    numbers = getattr(analysis, function.__name__)

    @functools.wraps(function)
    def draw(*args: Any, **kwargs: Any) -> go.Figure:
        call = Call.of_fetch(function, numbers.needs, numbers.tables, args, kwargs)
        if call is None:
            return function(*args, **kwargs)
        return with_note(function(*call.args, **call.kwargs), call.period())

    draw.needs = numbers.needs  # type: ignore[attr-defined]
    return cast("Answer[P, go.Figure]", draw)
