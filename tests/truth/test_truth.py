"""Analyses agree with SQL that was written after their docstrings, by somebody who had not read their code."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pytest

import crmlab
from crmlab import analysis
from crmlab.errors import UsageError
from tests.truth.comparing import assert_agree
from tests.truth.conftest import Way, World, frames_of
from tests.truth.duck import ask
from tests.truth.gaps import with_gaps
from tests.truth.questions import NOW, QUESTIONS, TIME_ZONE, Question

#: a fetch is asked with all that it holds, and there is more in it than events
_OF_A_FETCH = [question for question in QUESTIONS if question.query != "current_consent"]

each_question = pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.query)
each_question_of_a_fetch = pytest.mark.parametrize(
    "question", _OF_A_FETCH, ids=lambda question: question.query
)


def _truth(question: Question, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    people = analysis.people(tables["contacts"])
    return ask(question.query, {**tables, "people": people}, NOW, TIME_ZONE)


@each_question
def test_an_answer_is_the_one_of_sql_however_the_tables_came(question: Question, way: Way) -> None:
    answer = question.of_frames(way.given)

    truth = _truth(question, way.true)

    assert_agree(answer, truth, question.keys)


@each_question_of_a_fetch
def test_a_fetch_is_answered_like_its_tables_wherever_it_was_kept(
    question: Question, whole: crmlab.Fetched | crmlab.Stored, world: World
) -> None:
    answer = question.of_fetch(whole)

    truth = _truth(question, frames_of(world.fetched))

    assert_agree(answer, truth, question.keys)


#: what is about the period alone; of all else a period shows a part, which would be taken for the whole
_OF_A_PERIOD = ("win_rate", "win_rate_by_month", "cycle_length")


@each_question_of_a_fetch
def test_of_a_period_an_answer_is_that_of_the_period_or_refused(
    question: Question, world: World
) -> None:
    if question.query not in _OF_A_PERIOD:
        with pytest.raises(UsageError, match="2026-09-01"):
            question.of_fetch(world.since)
        return

    answer = question.of_fetch(world.since)

    truth = _truth(question, frames_of(world.since))
    assert_agree(answer, truth, question.keys)


@each_question
def test_the_world_with_gaps_has_an_answer_to_every_question(
    question: Question, world: World
) -> None:
    tables = with_gaps(world.fetched)

    answer = question.of_frames(tables)

    assert answer.height > 1
