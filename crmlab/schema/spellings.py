"""What is written in several ways and means one thing: a mailbox, a channel, and a purpose.

Every analysis, masking and own data compare by these rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

#: zero-width characters, soft hyphens and their like: nobody sees them
_INVISIBLE = r"\p{Cf}"
#: what stands around an address or between two, besides blanks
_AROUND = r"<>,;:()\[\]|\"“”„«»"
_LOCAL = rf"[^\s{_AROUND}@/'][^\s{_AROUND}@]*"
# the last character is a letter or digit: a full stop behind an address ends the sentence
_ADDRESS = rf"{_LOCAL}@[^\s{_AROUND}@/?]*[\p{{L}}\p{{N}}]"
#: an address that is in the one spelling as it stands; labels in Punycode apart
_PLAIN = r"^[a-z0-9][a-z0-9._+-]*@[a-z0-9.-]*[a-z0-9]$"
#: what parts the words of a name
_BETWEEN_WORDS = r"[\s_-]"
_PUNYCODE = re.compile(r"xn--([a-z0-9-]+)")
#: what a channel is called in services, and what it is called here
_CHANNELS = {
    "email": "email",
    "mail": "email",
    "emails": "email",
    "phone": "phone",
    "telephone": "phone",
    "call": "phone",
    "calls": "phone",
    "sms": "sms",
    "textmessage": "sms",
    "letter": "letter",
    "letters": "letter",
    "post": "letter",
    "push": "push",
    "pushnotification": "push",
}
#: the channels that have a name of their own here; services may name others
CHANNELS = tuple(dict.fromkeys(_CHANNELS.values()))


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
    visible = written.str.normalize("NFKC").str.replace_all(_INVISIBLE, "")
    plain = visible.str.to_lowercase()
    with_full_stops = plain.str.replace_all("。", ".", literal=True)
    unquoted = with_full_stops.str.replace_all(r'"([^"\s@]+)"@', "$1@")
    readable = unquoted.map_batches(_in_unicode, return_dtype=pl.String, is_elementwise=True)
    found = readable.str.extract_all(_ADDRESS)
    return found.list.unique(maintain_order=True)


def addresses(written: pl.Expr) -> pl.Expr:
    """Return the `mailboxes` of a text; where there is none the text itself, in lower case, as a list of one.

    So the tokens of masked tables, which are no mailboxes, still join.
    """
    found = mailboxes(written)
    plain = written.str.strip_chars().str.to_lowercase()
    itself = pl.concat_list(plain)
    has_mailbox = found.list.len() > 0
    return pl.when(has_mailbox).then(found).when(plain != "").then(itself)


def mailbox(written: pl.Expr) -> pl.Expr:
    """Return the first of `addresses`, null of a blank text."""
    is_coded = written.str.contains("xn--", literal=True)
    is_plain = written.str.contains(_PLAIN) & ~is_coded
    plain = pl.when(is_plain).then(written)
    # most are: what reads the others takes ten times as long, and does not look at null
    other = pl.when(~is_plain).then(written)
    return pl.coalesce(plain, addresses(other).list.first())


def first_mailbox(written: pl.Expr) -> pl.Expr:
    """Return the first mailbox in a list of texts; where there is none the first text, null of an empty list."""
    all_texts = written.list.join(" ", ignore_nulls=True)
    first_address = mailboxes(all_texts).list.first()
    first_text = written.list.first()
    return pl.coalesce(first_address, mailbox(first_text))


def channel_word(written: pl.Expr) -> pl.Expr:
    """Return a channel's name in one spelling, null where it is blank; names that are not known are in lower case.

    Examples
    --------
    >>> names = pl.DataFrame({"channel": ["E-Mail", "mail ", "WhatsApp", ""]})
    >>> names.select(channel_word(pl.col("channel"))).to_series().to_list()
    ['email', 'email', 'whatsapp', None]
    """
    return _spelled_once(written, _channel_word)


def purpose_word(written: pl.Expr) -> pl.Expr:
    """Return a purpose in one spelling, null where it is blank: in lower case, its words parted by single blanks.

    Which purposes mean the same is not guessed: "news" and "newsletter" are two.

    Examples
    --------
    >>> names = pl.DataFrame({"purpose": ["Direct_Marketing", " direct-marketing", "Newsletter", " "]})
    >>> names.select(purpose_word(pl.col("purpose"))).to_series().to_list()
    ['direct marketing', 'direct marketing', 'newsletter', None]
    """
    return _spelled_once(written, _purpose_word)


def _channel_word(written: pl.Expr) -> pl.Expr:
    plain = _plain(written)
    compact = plain.str.replace_all(_BETWEEN_WORDS, "")
    known = compact.replace_strict(_CHANNELS, default=None, return_dtype=pl.String)
    return pl.coalesce(known, pl.when(plain != "").then(plain))


def _purpose_word(written: pl.Expr) -> pl.Expr:
    words = _plain(written).str.replace_all(rf"{_BETWEEN_WORDS}+", " ").str.strip_chars()
    return pl.when(words != "").then(words)


def _spelled_once(written: pl.Expr, word: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """Return the word of each text, made once of each spelling: of a million rows there are a few."""

    def words(texts: pl.Series) -> pl.Series:
        spellings = texts.unique()
        spelled = pl.select(word(pl.lit(spellings))).to_series()
        return texts.replace_strict(spellings, spelled, return_dtype=pl.String)

    # categories of a user's own frame, or no value at all
    text = written.cast(pl.String)
    return text.map_batches(words, return_dtype=pl.String, is_elementwise=True)


def _plain(written: pl.Expr) -> pl.Expr:
    """Return a name in lower case, without what nobody sees and without blanks around it."""
    return (
        written.str.normalize("NFKC")
        .str.replace_all(_INVISIBLE, "")
        .str.strip_chars()
        .str.to_lowercase()
    )


def _in_unicode(texts: pl.Series) -> pl.Series:
    """Return the texts with what is in Punycode in letters."""
    is_coded = texts.str.contains("xn--", literal=True)
    coded = texts.filter(is_coded).unique()
    if coded.is_empty():
        return texts
    in_letters = {text: _PUNYCODE.sub(_letters, text) for text in coded}
    return texts.replace(in_letters)


def _letters(label: re.Match[str]) -> str:
    try:
        return label[1].encode().decode("punycode")
    except UnicodeError:  # it only looks like it
        return label[0]
