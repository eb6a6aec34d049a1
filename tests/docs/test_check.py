"""The look through the built site finds what is wrong, and nothing else."""

from pathlib import Path

import pytest

from docs import check

FINE = """<a href="https://example.com">there</a> <a href="#here">here</a> <a href="b.html#below">below</a>
<link rel="canonical" href="https://example.com/a.html"> <p id="here"></p> <img src="a%20b.png">"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "a.html").write_text(FINE)
    (tmp_path / "b.html").write_text('<h2 id="below">below</h2>')
    (tmp_path / "a b.png").write_bytes(b"")
    (tmp_path / "a.css").write_text("body { background: url(a.png) }")
    return tmp_path


def test_nothing_is_wrong_with_a_site_that_is_whole(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check.main(site) == 0
    assert capsys.readouterr().out == f"2 pages in {site}\n"


@pytest.mark.parametrize(
    ("name", "added", "said"),
    [
        ("a.html", '<a href="c.html">', "a.html links to c.html, which is not there"),
        (
            "a.html",
            '<a href="b.html#above">',
            "a.html links to b.html#above, which has no such place",
        ),
        ("a.html", '<img src="c.png">', "a.html links to c.png, which is not there"),
        (
            "a.html",
            '<script src="https://cdn.example/x.js">',
            "a.html loads https://cdn.example/x.js",
        ),
        (
            "a.html",
            '<link rel="stylesheet" href="//x.example/y.css">',
            "a.html loads //x.example/y.css",
        ),
        ("a.css", '@import "https://x.example/y.css";', "a.css loads https://x.example/y.css"),
        (
            "a.css",
            "@font-face { src: url('https://x.example/f.woff2') }",
            "a.css loads https://x.example/f.woff2",
        ),
    ],
)
def test_what_is_wrong_is_said(
    site: Path, name: str, added: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (site / name).write_text((site / name).read_text() + added)

    assert check.main(site) == 1
    assert capsys.readouterr().out == f"{said}\n"
