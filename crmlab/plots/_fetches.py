"""A fetch in the place of frames, for figures: as for the analyses that they draw."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, cast

import plotly.graph_objects as go

from crmlab import analysis
from crmlab.analysis.fetches import Answer, Call
from crmlab.plots.notes import with_note
from crmlab.schema import as_polars

P = ParamSpec("P")


def draws(function: Callable[P, go.Figure]) -> Answer[P, go.Figure]:
    """Let a figure take a fetch in the place of its frames, like the analysis of the same name.

    What needs everything refuses a fetch of a period; what does not says the period in its subtitle.
    """
    numbers = getattr(analysis, function.__name__)

    @functools.wraps(function)
    def draw(*args: Any, **kwargs: Any) -> go.Figure:
        fetch_call = Call.of_fetch(function, numbers.needs, numbers.tables, args, kwargs)
        if fetch_call is None:
            frames = of_polars(function, args, kwargs)
            return function(*frames.args, **frames.kwargs)
        return with_note(function(*fetch_call.args, **fetch_call.kwargs), fetch_call.notes())

    draw.needs = numbers.needs  # type: ignore[attr-defined]
    return cast("Answer[P, go.Figure]", draw)


def of_polars(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> inspect.BoundArguments:
    """Return the arguments of a call, those that are to be frames as frames of Polars; lazy ones stay lazy.

    Raises
    ------
    UsageError
        What stands for a frame is none.
    """
    signature = inspect.signature(function)
    try:
        arguments = signature.bind(*args, **kwargs)
    except TypeError as error:  # said by the function itself, not by what it is wrapped in
        raise TypeError(f"{function.__name__}() {error}") from None
    for parameter, value in arguments.arguments.items():
        annotation = str(signature.parameters[parameter].annotation)
        is_frame = annotation.startswith("pl.DataFrame")
        may_be_left_out = value is None and annotation != "pl.DataFrame"
        if is_frame and not may_be_left_out:
            arguments.arguments[parameter] = as_polars(value, parameter)
    return arguments
