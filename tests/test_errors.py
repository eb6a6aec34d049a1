"""The error tree."""

from __future__ import annotations

import inspect

import pytest

from crmlab import errors
from crmlab.errors import (
    ApiError,
    CredentialError,
    CrmlabError,
    PlanError,
    RateLimitError,
    UsageError,
)

DEFINED = [
    c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__
]
CLASSES = [c for c in DEFINED if not issubclass(c, Warning)]


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_is_one_of_crmlab_and_drawn_in_the_tree(error: type[CrmlabError]) -> None:
    assert issubclass(error, CrmlabError)
    assert error.__name__ in (errors.__doc__ or "")
    assert error.__doc__


def test_the_drawing_shows_the_parents() -> None:
    lines = [line for line in (errors.__doc__ or "").splitlines() if "─" in line]
    for line in lines:
        name = line.split("─")[-1].split()[0]
        parent = ApiError if line.startswith("    │") else CrmlabError
        assert getattr(errors, name).__mro__[1] is parent, name
    assert len(lines) == len(CLASSES) - 1


def test_only_what_may_succeed_next_time_is_asked_again() -> None:
    again = {c.__name__ for c in CLASSES if issubclass(c, errors.RETRYABLE)}

    assert again == {"TransportError", "RateLimitError", "ServerError"}


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ApiError(400), "HTTP 400"),
        (ApiError(400, "bad", "no such field"), "HTTP 400 · bad · no such field"),
        (ApiError(400, "", "d", "r-1", "try this"), "HTTP 400 · d (request r-1); try this"),
        (RateLimitError(429, retry_after=3), "HTTP 429"),
        (UsageError("unknown table"), "unknown table"),
    ],
)
def test_an_error_says_what_and_where(error: CrmlabError, text: str) -> None:
    assert str(error) == text
    error.account, error.resource = "relenta account 'a'", "contacts"
    assert str(error) == f"relenta account 'a', contacts: {text}"


@pytest.mark.parametrize(
    "error", [c for c in CLASSES if c not in (CrmlabError, CredentialError, PlanError, UsageError)]
)
def test_what_can_go_wrong_after_sending_comes_with_advice(error: type[CrmlabError]) -> None:
    assert error.advice


def test_what_is_known_of_one_error_goes_before_the_advice_for_its_kind() -> None:
    assert ApiError(500, hint="try this").what_to_do == "try this"
    assert ApiError(500).what_to_do == ApiError.advice


def test_a_wrong_question_is_a_value_error_too() -> None:
    assert issubclass(PlanError, ValueError)
    assert issubclass(UsageError, ValueError)
