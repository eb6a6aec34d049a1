"""How long a list has brought nothing new."""

from __future__ import annotations

import pytest

from crmlab.fetching.stall import BarrenTime

#: when an answer came, and how long it was under way
Answers = list[tuple[float, float]]


@pytest.mark.parametrize(
    ("answers", "seconds"),
    [
        ([(10, 2), (13, 2)], 4),  # between them it waited
        ([(10, 5), (11, 5), (12, 5)], 7),  # side by side
        ([(2, 1), (5, 1), (10, 10)], 10),  # the last one was under way all the time
        ([(2, 1), (5, 1), (6, 4)], 5),
        ([], 0),
    ],
)
def test_what_is_under_way_at_the_same_time_counts_once(answers: Answers, seconds: float) -> None:
    barren = BarrenTime()

    for now, under_way in answers:
        barren.answered(now, under_way, is_new=False)

    assert barren.seconds == seconds


def test_a_new_record_begins_anew() -> None:
    barren = BarrenTime()

    barren.answered(10, 5, is_new=False)
    barren.answered(11, 5, is_new=True)
    barren.answered(13, 1, is_new=False)

    assert barren.seconds == 1
