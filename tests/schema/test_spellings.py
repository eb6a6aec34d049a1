"""One mailbox and one channel, however they are written."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.schema import addresses, channel_word, first_mailbox, mailbox, mailboxes


def read(written: str | None) -> list[str] | None:
    found: list[str] | None = (
        pl.select(mailboxes(pl.lit(written, pl.String))).to_series().to_list()[0]
    )
    return found


@pytest.mark.parametrize(
    "written",
    [
        "ann@b\u00fccher.example", " Ann@B\u00dcCHER.example\t",
        "ann@xn--bcher-kva.example", "ANN@XN--BCHER-KVA.EXAMPLE",
        "ann@bu\u0308cher.example",
        "\uff41\uff4e\uff4e\uff20b\u00fccher\uff0eexample", "ann@b\u00fccher\u3002example",
        "an\u200bn@b\u00fccher.example", "ann@b\u00fcch\u00ader.example",
        "\ufeffann@b\u00fccher.example", '"ann@b\u00fccher.example"',
        "'ann@b\u00fccher.example'", '"ann"@b\u00fccher.example',
        "<ann@b\u00fccher.example>", "Lee, Ann <ann@b\u00fccher.example>",
        "mailto:ann@b\u00fccher.example", "mailto:ann@b\u00fccher.example?subject=hi", "ann@b\u00fccher.example.",
        "\u201cann@b\u00fccher.example\u201d", "ann@b\u00fccher.example;", "(ann@b\u00fccher.example)",
    ],
)  # fmt: skip
def test_one_mailbox_is_one_however_it_is_written(written: str) -> None:
    assert read(written) == ["ann@b\u00fccher.example"]


@pytest.mark.parametrize(
    "between", [",", ";", " ", ", ", "; ", "|", "\n", "\t", ",mailto:", "> <", "\u00a0"]
)
def test_several_addresses_in_one_field_are_several(between: str) -> None:
    assert read(f"ann@example.com{between}bo@example.com") == ["ann@example.com", "bo@example.com"]


@pytest.mark.parametrize("written", ["", "none", "@", "ann@", "@example.com", "ann at example.com"])
def test_what_is_no_address_is_none(written: str) -> None:
    assert read(written) == []


def test_nothing_is_null_and_other_mailboxes_stay_others() -> None:
    assert read(None) is None
    assert read("o'neil@example.com") == ["o'neil@example.com"]
    assert read("a.nn+news@example.com") == ["a.nn+news@example.com"]
    assert read("ann@xn--\u00e4") == ["ann@xn--\u00e4"]


def test_the_first_of_a_list_is_the_first_address_in_it() -> None:
    frame = pl.DataFrame({"emails": [["none", None, "Ann@example.com"], [], None]})

    assert frame.select(first_mailbox(pl.col("emails"))).to_series().to_list() == [
        "ann@example.com",
        None,
        None,
    ]


def test_what_is_no_address_stands_for_itself_so_that_masked_tables_join() -> None:
    frame = pl.DataFrame(
        {"written": ["0A1B ", "0a1b", "", None], "emails": [["0a1b", "2c3d"], [], [""], None]}
    )

    assert frame.select(mailbox(pl.col("written"))).to_series().to_list() == [
        "0a1b",
        "0a1b",
        None,
        None,
    ]
    assert frame.select(first_mailbox(pl.col("emails"))).to_series().to_list() == [
        "0a1b",
        None,
        None,
        None,
    ]


@given(
    st.text(max_size=30)
    | st.builds("{}@{}".format, st.text(min_size=1, max_size=9), st.text(min_size=1, max_size=9))
)
def test_a_mailbox_read_again_is_itself(written: str) -> None:
    once = pl.select(mailbox(pl.lit(written)).alias("value"))

    assert once.select(mailbox(pl.col("value"))).equals(once)


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("email", "email"), ("E-Mail", "email"), ("e mail", "email"),
        ("mail", "email"), ("EMAIL\u00a0", "email"), ("email ", "email"),
        ("Telephone", "phone"), ("call", "phone"), ("SMS", "sms"),
        ("WhatsApp ", "whatsapp"), ("", None), (" ", None), (None, None),
    ],
)  # fmt: skip
def test_one_channel_is_one_however_it_is_written(written: str | None, word: str | None) -> None:
    assert pl.select(channel_word(pl.lit(written, pl.String))).item() == word


@given(
    st.lists(
        st.one_of(
            st.text("aZ9.@-+_ '\"<;/xn\u00e9\uff41\u00ad", max_size=12),
            st.from_regex(r"[a-z0-9.+_-]{1,6}@[a-z0-9.-]{1,8}", fullmatch=True),
            st.from_regex(r"[a-z]{1,3}@(xn--)?[a-z0-9-]{1,8}\.com[.!]?", fullmatch=True),
        ),
        max_size=30,
    )
)
def test_a_plain_mailbox_is_what_all_the_rules_make_of_it(texts: list[str]) -> None:
    written = pl.Series("written", texts, dtype=pl.String).to_frame()

    found = written.select(
        short=mailbox(pl.col("written")), whole=addresses(pl.col("written")).list.first()
    )

    assert found["short"].to_list() == found["whole"].to_list()
