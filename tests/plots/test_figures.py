"""The pictures in docs/figures are those of the public figures, and small."""

from pathlib import Path

from crmlab import plots

DRAWN = list((Path(__file__).parents[2] / "docs" / "figures").iterdir())


def test_every_public_figure_is_drawn_and_no_other() -> None:
    assert {path.name for path in DRAWN} == {f"{name}.png" for name in plots.__all__}


def test_pictures_are_small() -> None:
    sizes = [path.stat().st_size for path in DRAWN]

    assert min(sizes) > 1_000
    assert max(sizes) < 40_000
    assert sum(sizes) < 1_500_000
