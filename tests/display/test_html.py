"""Templates escape what they are given, and every one of them can be read."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest
from markupsafe import Markup

import crmlab
from crmlab.display import render

PACKAGE = Path(crmlab.__file__).parent
TEMPLATES = sorted(PACKAGE.rglob("*.jinja"))


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "page.html.jinja"
    path.write_text('<a title="{{ text }}">{{ text }}</a>')
    return path


def test_text_is_escaped_and_html_is_not_escaped_twice(template: Path) -> None:
    assert render(template, text='<b>"') == '<a title="&lt;b&gt;&#34;">&lt;b&gt;&#34;</a>'
    assert render(template, text=Markup("<b>")) == '<a title="<b>"><b></a>'
    assert isinstance(render(template, text=""), Markup)


def test_a_value_that_was_forgotten_is_an_error_and_not_a_blank(template: Path) -> None:
    with pytest.raises(jinja2.UndefinedError, match="'text' is undefined"):
        render(template)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_template_marks_anything_as_safe(path: Path) -> None:
    source = path.read_text(encoding="utf-8")

    assert not any(
        unsafe in source.replace(" ", "") for unsafe in ("|safe", "autoescape", "Markup(")
    )
    assert jinja2.Environment(autoescape=True).parse(source)
