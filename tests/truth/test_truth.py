"""Analyses agree with SQL that was written after their docstrings, by somebody who had not read their code."""

from __future__ import annotations

import pytest

from crmlab import analysis
from crmlab.errors import UsageError
from tests.truth.comparing import differences
from tests.truth.conftest import Way, World
from tests.truth.duck import ask
from tests.truth.gaps import with_gaps
from tests.truth.questions import NOW, QUESTIONS, TIME_ZONE, Question


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.query)
def test_an_answer_is_the_one_of_sql_however_the_tables_came(question: Question, way: Way) -> None:
    try:
        answer = question.ask(way.given)
    except UsageError as refusal:
        if not way.may_refuse:
            raise
        pytest.skip(f"it refuses these tables: {refusal}")
    people = analysis.people(way.true["contacts"])

    truth = ask(question.query, {**way.true, "people": people}, NOW, TIME_ZONE)

    assert differences(truth, answer, question.keys).is_empty()


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.query)
def test_the_world_with_gaps_has_an_answer_to_every_question(question: Question, world: World) -> None:
    tables = with_gaps(world.fetched)

    answer = question.ask(tables)

    assert answer.height > 1
