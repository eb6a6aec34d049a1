"""What is written in several ways and means one thing: a mailbox, and a channel.

Every analysis, masking and own data compare by these two rules.
"""

from __future__ import annotations

import re

import polars as pl

#: zero-width characters, soft hyphens and their like: nobody sees them
_INVISIBLE = r"\p{Cf}"
#: what stands around an address or between two, besides blanks
_AROUND = r"<>,;:()\[\]|\"“”„«»"
_LOCAL = rf"[^\s{_AROUND}@/'][^\s{_AROUND}@]*"
# the last character is a letter or digit: a full stop behind an address ends the sentence
_ADDRESS = rf"{_LOCAL}@[^\s{_AROUND}@/?]*[\p{{L}}\p{{N}}]"
_PUNYCODE = re.compile(r"xn--([a-z0-9-]+)")
_CHANNELS = {
    **dict.fromkeys(("email", "mail", "emails"), "email"),
    **dict.fromkeys(("phone", "telephone", "call", "calls"), "phone"),
    **dict.fromkeys(("sms", "textmessage"), "sms"),
    **dict.fromkeys(("letter", "letters", "post"), "letter"),
    **dict.fromkeys(("push", "pushnotification"), "push"),
}


def mailboxes(written: pl.Expr) -> pl.Expr:
    """Return the e-mail addresses in a text, in one spelling, each once: a list, empty where there is none.

    Case, width and composition of letters do not matter, nor do characters that nobody sees, domains in Punycode,
    quotes, angle brackets, ``mailto:`` or a full stop behind. Commas, semicolons, bars and blanks part several
    addresses. What a mail service may read as the same mailbox, such as dots in the name, is left alone.

    Examples
    --------
    >>> texts = pl.DataFrame({"written": ["<Ann@Example.com>; mailto:bo@xn--bcher-kva.example", "none"]})
    >>> texts.select(mailboxes(pl.col("written"))).to_series().to_list()
    [['ann@example.com', 'bo@bücher.example'], []]
    """
    plain = written.str.normalize("NFKC").str.replace_all(_INVISIBLE, "").str.to_lowercase()
    plain = plain.str.replace_all("。", ".", literal=True).str.replace_all(r'"([^"\s@]+)"@', "$1@")
    plain = plain.map_batches(_in_unicode, return_dtype=pl.String, is_elementwise=True)
    return plain.str.extract_all(_ADDRESS).list.unique(maintain_order=True)


def addresses(written: pl.Expr) -> pl.Expr:
    """Return the `mailboxes` of a text; where there is none the text itself, in lower case, as a list of one.

    So the tokens of masked tables, which are no mailboxes, still join.
    """
    found = mailboxes(written)
    plain = written.str.strip_chars().str.to_lowercase()
    return pl.when(found.list.len() > 0).then(found).when(plain != "").then(pl.concat_list(plain))


def mailbox(written: pl.Expr) -> pl.Expr:
    """Return the first of `addresses`, null of a blank text."""
    return addresses(written).list.first()


def first_mailbox(written: pl.Expr) -> pl.Expr:
    """Return the first mailbox in a list of texts; where there is none the first text, null of an empty list."""
    return pl.coalesce(mailboxes(written.list.join(" ", ignore_nulls=True)).list.first(), mailbox(written.list.first()))


def channel_word(written: pl.Expr) -> pl.Expr:
    """Return a channel's name in one spelling, null where it is blank; names that are not known are in lower case.

    Examples
    --------
    >>> names = pl.DataFrame({"channel": ["E-Mail", "mail ", "WhatsApp", ""]})
    >>> names.select(channel_word(pl.col("channel"))).to_series().to_list()
    ['email', 'email', 'whatsapp', None]
    """
    plain = written.str.normalize("NFKC").str.replace_all(_INVISIBLE, "").str.strip_chars().str.to_lowercase()
    compact = plain.str.replace_all(r"[\s_-]", "")
    known = compact.replace_strict(_CHANNELS, default=None, return_dtype=pl.String)
    return pl.coalesce(known, pl.when(plain != "").then(plain))


def _in_unicode(texts: pl.Series) -> pl.Series:
    """Return the texts with what is in Punycode in letters."""
    coded = texts.filter(texts.str.contains("xn--", literal=True)).unique()
    if coded.is_empty():
        return texts
    return texts.replace({text: _PUNYCODE.sub(_letters, text) for text in coded})


def _letters(label: re.Match[str]) -> str:
    try:
        return label[1].encode().decode("punycode")
    except UnicodeError:  # it only looks like it
        return label[0]
