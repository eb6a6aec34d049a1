"""What results show of themselves: whether the data can be trusted, then why, then the details."""

from __future__ import annotations

import datetime as dt
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crmlab.display.overview import Overview
from crmlab.display.tables import html_table, text_table
from crmlab.display.wording import listed
from crmlab.errors import AuthError, CrmlabError, ServerError
from crmlab.results.failures import Failures
from crmlab.results.fetched import SUMMARY, Fetched, Stored
from crmlab.schema import Asked

AS_OF = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
REJECTED = pl.DataFrame({"reason": ["no id"], "raw": ["{}"]})


def line(account: str, table: str, rows: int = 5, **known: Any) -> dict[str, Any]:
    own = {
        "account": account,
        "provider": "onepagecrm",
        "resource": table,
        "table": table,
        "rows": rows,
    }
    return {
        **own,
        "rejected": 0,
        "requests": 1,
        "retries": 0,
        "seconds": 0.5,
        "complete": True,
        "note": "",
        **known,
    }


def fetched(*lines: dict[str, Any], rejected: pl.DataFrame | None = None, **known: Any) -> Fetched:
    heights: dict[str, int] = {}
    for each in lines:
        heights[each["table"]] = heights.get(each["table"], 0) + each["rows"]
    return Fetched(
        dict.fromkeys(heights, pl.DataFrame()),
        heights=heights,
        summary=pl.DataFrame(lines, schema=SUMMARY),
        rejected=REJECTED.clear() if rejected is None else rejected,
        failures=known.get("failures", ()),
        asked=known.get("asked", Asked(fetched_at=AS_OF)),
    )


def failure(
    kind: type[CrmlabError], *given: Any, account: str = "sales", resource: str = "deals"
) -> CrmlabError:
    error = kind(*given)
    error.account, error.resource = f"onepagecrm account {account!r}", resource
    return error


def text(shown: Any) -> str:
    return str(shown._repr_mimebundle_(include=None, exclude=None)["text/plain"])


def html(shown: Any) -> str:
    bundle = shown._repr_mimebundle_()
    assert bundle["text/html"] == shown._repr_html_()
    return str(bundle["text/html"])


class Balanced(HTMLParser):
    """Reads HTML and fails where a tag is not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)


# ---- a fetch ------------------------------------------------------------------------------------


def test_what_came_whole_says_so_first() -> None:
    data = fetched(
        line("sales", "deals", 1200), line("support", "deals", 34), line("sales", "users", 1)
    )

    assert text(data).splitlines() == [
        "✓ Complete: 1,235 rows in 2 tables from 2 accounts. Fetched 2026-03-01 12:00 UTC.",
        "",
        "table   rows  from            state",
        "deals  1,234  sales, support  ✓ complete",
        "users      1  sales           ✓ complete",
    ]


def test_a_failure_says_which_tables_suffer_and_what_to_do() -> None:
    refused = failure(ServerError, 500, "", "out of order")
    data = fetched(
        line("sales", "deals", 0, complete=False, note=str(refused)),
        line("support", "deals", 7),
        line("sales", "users", 1),
        line("closed", "deals", 0, complete=False, note=str(refused)),
        failures=[refused],
    )

    assert text(data).splitlines() == [
        "✗ Not complete: deals lacks rows (1 failure), so that counts and sums are too low. "
        "8 rows in 2 tables from 2 accounts came. Fetched 2026-03-01 12:00 UTC.",
        "",
        "table  rows  from     state",
        "deals     7  support  ✗ lacks rows of sales, closed",
        "users     1  sales    ✓ complete",
        "",
        "What is missing, and why",
        "account                     resource  what happened            what to do",
        "onepagecrm account 'sales'  deals     HTTP 500 · out of order  "
        "fetch again later; if it happens again, tell the vendor",
    ]


@pytest.mark.parametrize(
    ("known", "rejected", "says"),
    [
        (
            {"note": "1 records rejected", "rejected": 1},
            REJECTED,
            ("(1 record rejected)", "look at .rejected"),
        ),
        (
            {"note": "the service counts 9, 8 came"},
            None,
            ("not all was seen", "fetch again when less is being changed"),
        ),
    ],
)
def test_what_did_not_fit_or_slid_past_is_missing_too(
    known: Any, rejected: Any, says: tuple[str, ...]
) -> None:
    shown = text(fetched(line("sales", "deals", complete=False, **known), rejected=rejected))

    assert shown.startswith("✗ Not complete: deals lacks rows")
    assert known["note"] in shown.partition("What is missing")[2]
    assert all(each in shown for each in says)


def test_a_failure_beside_all_rows_is_not_hidden() -> None:
    refused = failure(ServerError, 503, resource="users")
    helper = line("sales", "users", complete=False, note=str(refused)) | {
        "table": "onepagecrm.users"
    }
    data = fetched(line("sales", "deals", 3), failures=[refused])
    data.summary = pl.concat([data.summary, pl.DataFrame([helper], schema=SUMMARY)])

    assert text(data).startswith(
        "✗ Not complete: a list that others look into was not read whole (1 failure). 3 rows"
    )
    assert text(data).count("HTTP 503") == 1


def test_nothing_at_all_is_complete_and_explained() -> None:
    note = "none of these services has deals"
    unfilled = line("", "deals", 0, note=note) | {"provider": "", "resource": ""}

    assert "0 rows in 1 table from 1 account: there is nothing of that period" in text(
        fetched(line("a", "users", 0))
    )
    assert note in text(fetched(line("a", "users"), unfilled))
    assert text(fetched()).startswith("✓ Complete: 0 rows in 0 tables from 0 accounts")


def test_what_is_complete_may_still_be_less_than_one_thinks() -> None:
    notes = ("inside contacts", "the last 30 days, since none were asked for; within bootstrap", "")
    data = fetched(
        *(line(f"crm-{number}", "deals", note=note) for number, note in enumerate(notes))
    )

    assert "✓ complete; the last 30 days, since none were asked for\n" in f"{text(data)}\n"


@pytest.mark.slow
def test_of_many_accounts_the_first_are_named_and_the_others_counted() -> None:
    data = fetched(*(line(f"crm-{number}", "users", 1) for number in range(200)))

    assert "200 rows in 1 table from 200 accounts" in text(data)
    assert "crm-0, crm-1, crm-2, crm-3 and 196 more" in text(data)
    assert len(text(data)) < 500


@pytest.mark.slow
def test_details_are_folded_in_html_and_absent_from_text() -> None:
    data = fetched(
        *(line(f"crm-{number}", "users", 1, note="within bootstrap") for number in range(40))
    )

    assert "<details><summary>Each list that was read (40)</summary>" in html(data)
    assert html(data).count("within bootstrap") == 40
    assert "within bootstrap" not in text(data)
    Balanced(html(data))


def test_names_cannot_write_html_nor_turn_the_line() -> None:
    names = ["<script>alert(1)</script>", "a'b\"c&d", "مبيعات", "x\u202ey\nz\x1b[31m"]
    data = fetched(*(line(name, "deals") for name in names))

    page = Balanced(html(data))
    assert "<script" not in html(data)
    assert any(names[1] in words for words in page.words)
    assert "<bdi>مبيعات</bdi>" in html_table(pl.DataFrame({"account": ["مبيعات"]}))
    assert not set(text(data)) & {"\u202e", "\x1b"}
    assert len(text(data).splitlines()) == 4


def test_headings_labels_and_columns_are_escaped_like_values() -> None:
    hostile = "\"><img src=x onerror=alert(1)>'"
    frame = pl.DataFrame({hostile: [hostile], "n": [1]})

    shown = Overview(
        title=hostile, words=hostile, tables=[(hostile, frame)], folded=[(hostile, frame)]
    ).html()
    labelled = html_table(frame, label=hostile)

    assert "<img" not in shown + labelled
    assert Balanced(shown).words.count(hostile) >= 6
    assert 'aria-label="&#34;&gt;&lt;img src=x onerror=alert(1)&gt;&#39;"' in labelled


def test_html_of_a_result_is_plain_text_to_go_on_with() -> None:
    assert type(fetched()._repr_html_()) is str
    assert ("<hr>" + fetched()._repr_html_()).startswith("<hr>")


def test_the_line_of_a_print_stays_one_line() -> None:
    refused = failure(ServerError, 500)
    data = fetched(line("sales", "deals", 0, complete=False, note=str(refused)), failures=[refused])

    assert (
        str(data)
        == repr(data)
        == "<Fetched deals 0; INCOMPLETE: see .summary, .failures, .rejected>"
    )
    assert "\n" not in repr(data.failures)


def test_files_are_named_with_their_folder(tmp_path: Path) -> None:
    came = fetched(line("sales", "deals"))
    stored = Stored(
        {"deals": pl.LazyFrame()},
        heights={"deals": 5},
        summary=came.summary,
        rejected=came.rejected,
        failures=(),
        asked=came.asked,
    )
    stored.paths = {name: tmp_path / f"{name}.parquet" for name in ("deals", "summary")}

    assert f"In {tmp_path}." in text(stored)
    assert "✓ complete  deals.parquet" in text(stored)


# ---- failures -----------------------------------------------------------------------------------


def test_failures_are_a_tuple_and_show_themselves() -> None:
    wrong = failure(AuthError, 401, "", "unknown key", "r-7", "check api_key", resource="")
    failures = Failures([wrong])

    assert failures == (wrong,)
    assert bool(failures)
    assert failures.table().row(0) == (
        "onepagecrm account 'sales'",
        "all",
        "HTTP 401 · unknown key (request r-7)",
        "check api_key",
    )
    assert text(failures).startswith("✗ 1 failure: ")
    Balanced(html(failures))


def test_no_failures_is_no_bad_news() -> None:
    assert not Failures()
    assert text(Failures()) == "✓ No failures: nothing was refused or cut off."


def test_ipython_shows_failures_as_it_shows_the_rest() -> None:
    formatters = pytest.importorskip("IPython.core.formatters")

    shown, _ = formatters.DisplayFormatter().format(Failures())

    assert shown["text/plain"] == "✓ No failures: nothing was refused or cut off."
    assert shown["text/html"] == Failures()._repr_html_()


# ---- tables -------------------------------------------------------------------------------------


def test_values_as_people_read_them() -> None:
    frame = pl.DataFrame(
        {"n": [1234567, None], "share": [0.5, 1234.567], "ok": [True, False], "name": ["a", None]}
    )

    assert text_table(frame).splitlines() == [
        "        n     share  ok   name",
        "1,234,567      0.50  yes  a",
        "           1,234.57  no",
    ]
    assert '<td class="number">1,234,567</td>' in html_table(frame)
    assert "<strong>no</strong>" in html_table(frame)


def test_long_text_stands_below_its_row() -> None:
    frame = pl.DataFrame({"account": ["a", "b"], "note": ["why " * 20, ""]})

    assert text_table(frame).splitlines() == ["account", "a", f"    note: {'why ' * 20}", "b"]
    assert '<td class="long">why' in html_table(frame)


def test_a_table_of_many_rows_says_how_many_are_left_out() -> None:
    frame = pl.DataFrame({"n": range(1203)})

    assert html_table(frame).count("<tr>") == 201
    assert text_table(frame).endswith("1,003 more rows not shown")
    assert "1,003 more rows not shown" in html_table(frame)


def test_the_style_reaches_nothing_but_the_overview() -> None:
    page = Overview(title="A", words="b", tables=[("", pl.DataFrame({"n": [1]}))]).html()
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)

    rules = [rule.split("{")[0].strip() for rule in style.strip().split("}") if rule.strip()]
    assert rules
    assert all(
        rule.startswith("div.crmlab ") and "," not in rule.replace(":is(th,td)", "")
        for rule in rules
    )
    assert "color:" not in style.replace("-color:", "")
    assert "background" not in style


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], ""),
        (["a"], "a"),
        (list("abcde"), "a, b, c, d, e"),
        (list("abcdef"), "a, b, c, d and 2 more"),
    ],
)
def test_names_in_a_row(names: list[str], words: str) -> None:
    assert listed(names) == words
