"""Pages that people read have sentences that they can follow, and the check finds those that they cannot."""

from __future__ import annotations

import pytest

from docs import prose

PAGES = prose.pages()
LONG = " ".join(["word"] * (prose.MAX_WORDS + 1)) + "."


@pytest.mark.parametrize("page", PAGES)
def test_no_sentence_of_a_page_is_a_chain(page: str) -> None:
    assert prose.hard(PAGES[page]) == [], "split the sentence: one thought, a subject and a verb"


def test_the_pages_that_are_looked_at_are_there() -> None:
    assert {"README.md", "SECURITY.md", "docs/tutorial.md"} <= PAGES.keys()
    assert "notebooks/01_first_look.ipynb" in PAGES


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (LONG, "41 words"),
        (f"- {LONG}", "41 words"),
        (f"| short | {LONG} |", "41 words"),
        ("It runs; it ends; it is over.", "2 semicolons"),
        ("It runs;\nit ends;\nit is over.", "2 semicolons"),
    ],
)
def test_a_hard_sentence_is_found_where_it_stands(text: str, reason: str) -> None:
    [found] = prose.hard(f"# A page\n\nIt begins well.\n\n{text}\n")

    assert found.startswith(f"{reason}: ")


@pytest.mark.parametrize(
    "text",
    [
        "Two sentences. " * prose.MAX_WORDS,
        "It runs; it ends.",
        f"```python\nfirst; second; third  # {LONG}\n```",
        f"<!-- {LONG} -->",
        f"Call `{LONG}` once.",
        "\n".join(["- an item of a list"] * prose.MAX_WORDS),
        "".join(f"| a | table of {number} rows |\n" for number in range(prose.MAX_WORDS)),
    ],
)
def test_code_lists_and_short_sentences_are_no_chain(text: str) -> None:
    assert prose.hard(f"{text}\n") == []
