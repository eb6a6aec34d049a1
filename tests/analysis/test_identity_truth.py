"""How many of the people that the sandbox knows are found again, and how many are mistaken for another."""

from __future__ import annotations

import polars as pl
import pytest

from crmlab.analysis.identity import people
from crmlab.sandbox.world.generate import generate
from tests.analysis.noise import noisy


def pairs(*by: str) -> pl.Expr:
    """The pairs of rows that have the same values."""
    return (pl.len().over(by).cast(pl.Float64) - 1).sum() / 2


@pytest.mark.parametrize("seed", [1, 2])
def test_careless_hands_cost_one_link_in_a_hundred_and_one_in_twenty_is_not_found(
    seed: int,
) -> None:
    world = noisy(generate(6000, seed=seed), seed)

    found = people(world.contacts).with_columns(pl.col("provider").cast(pl.String))

    known = found.join(world.truth, on=["provider", "id"])
    assert known.height == world.contacts.height > 16_000
    right, linked, true = known.select(
        pairs("person_id", "truth").alias("right"),
        pairs("person_id").alias("linked"),
        pairs("truth").alias("true"),
    ).row(0)
    precision, recall = right / linked, right / true
    assert precision >= 0.99
    assert recall >= 0.95
