"""A copy of a spool tells of nobody, however a name is written, and replays as the spool does."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import crmlab
from crmlab.decoding import Masker
from crmlab.errors import CrmlabError
from crmlab.fetching import redact, redaction
from crmlab.fetching.documented import documented
from crmlab.providers import registry

#: names as people write them; each is in no description of a service
PLANTED = (
    "ann smythe-zq",
    "ANN SMYTHE-ZQ",
    "Ann Smythe-zq",
    "annzq",
    "ANNZQ",
    "Annzq",
    "änne größzq",
    "王小明zq",
    "Πόπηzq",
)
#: names that are words as well
ALSO_WORDS = ("will", "mark", "grant", "note", "call", "open", "Sender")


def in_answers(folder: Path) -> list[str]:
    return [
        gzip.decompress(path.read_bytes()).decode("utf-8", "surrogateescape")
        for path in folder.rglob("*.gz")
    ]


def planted(value: Any, names: list[str], may_hold: Callable[[str], bool]) -> Any:
    """Return JSON with a name in every field of text that may hold one, each time another spelling."""
    if isinstance(value, dict):
        return {key: _planted_field(key, part, names, may_hold) for key, part in value.items()}
    if isinstance(value, list):
        return [planted(part, names, may_hold) for part in value]
    return value


def _planted_field(key: str, part: Any, names: list[str], may_hold: Callable[[str], bool]) -> Any:
    if isinstance(part, str) and may_hold(key):
        names.append(names.pop(0))
        return names[-1]
    return planted(part, names, may_hold)


@pytest.mark.parametrize(
    "service",
    [
        "altcraft",
        pytest.param("commanders_act", marks=pytest.mark.fast),
        "complero",
        "onepagecrm",
        "relenta",
    ],
)
async def test_a_name_in_any_field_of_text_is_in_no_copy(tmp_path: Path, service: str) -> None:
    """Every text of the spool that is no id, time, cursor or state is a name, in one spelling or another."""
    async with crmlab.sandbox(rows=25, seed=3, services=[service]) as (account,):
        own = [
            f"{service}.{each.name}" for each in account.provider.resources if not each.destructive
        ]
        await crmlab.fetch(account, *own, spool=tmp_path / "spool")
    structural = _structural(tmp_path / "spool")
    for path in (tmp_path / "spool").rglob("*.gz"):
        head, _, body = gzip.decompress(path.read_bytes()).partition(b"\n")
        try:
            value = json.loads(body)
        except ValueError:
            continue
        spoiled = planted(value, list(PLANTED), lambda key: key not in structural)
        path.write_bytes(
            gzip.compress(head + b"\n" + json.dumps(spoiled, ensure_ascii=False).encode())
        )
    before = crmlab.replay(tmp_path / "spool")

    copy = redact(tmp_path / "spool")
    after = crmlab.replay(copy)

    kept = "\n".join(in_answers(tmp_path / "spool")).casefold()
    sent = "\n".join(in_answers(copy)).casefold()
    assert sum(name.casefold() in kept for name in PLANTED) == len(PLANTED)
    assert [name for name in PLANTED if name.casefold() in sent] == []
    assert {name: frame.height for name, frame in after.items()} == {
        name: each.height for name, each in before.items()
    }
    assert len(after.failures) == len(before.failures)
    assert after.misfits.height == before.misfits.height
    assert after.summary["misfits"].sum() == before.summary["misfits"].sum()


def _structural(spool: Path) -> set[str]:
    """Names of fields by which lists are read: ids, times, cursors, states and types."""
    found = set()
    for text in in_answers(spool):
        _collect(text.partition("\n")[2], found)
    words = (
        "id",
        "_at",
        "date",
        "time",
        "cursor",
        "token",
        "next",
        "link",
        "self",
        "url",
        "type",
        "status",
        "state",
        "kind",
    )
    return {name for name in found if name.casefold().endswith(words)}


def _collect(body: str, found: set[str]) -> None:
    try:
        json.loads(body, object_pairs_hook=lambda pairs: found.update(name for name, _ in pairs))
    except ValueError:
        return


def masker(*words: str) -> Masker:
    return Masker(
        b"k" * 32,
        names=frozenset({"id", "name", "note", "status", "email"}),
        words=frozenset(words),
    )


@pytest.mark.parametrize(
    "name", ["name", "first_name", "note", "text", "subject", "comment", "owner", "value"]
)
@pytest.mark.parametrize("text", ALSO_WORDS[:3])
def test_documented_words_are_names_where_persons_are_named(name: str, text: str) -> None:
    masked = json.loads(masker(*ALSO_WORDS).json(json.dumps({name: text, "status": text})))

    assert text not in (
        masked.get(name),
        *(each for key, each in masked.items() if key != "status"),
    )
    assert masked["status"] == text


@pytest.mark.parametrize(
    "field", ["type", "kind", "status", "channel", "action", "category", "model"]
)
@pytest.mark.parametrize("text", ["ann", "anna-maria", "ANN", "annsmith", "x.smith"])
def test_a_word_that_nobody_documents_is_masked_in_every_field(field: str, text: str) -> None:
    masked = masker("won", "lost").json(json.dumps({field: text, "status": "won"}))

    assert text not in masked
    assert '"status": "won"' in masked


def test_data_in_the_place_of_names_are_masked_and_names_made_of_documented_ones_stay() -> None:
    by = Masker(
        b"k" * 32, names=frozenset({"nb_optin", "optin_category"}), words=frozenset({"vendor"})
    )
    text = json.dumps(
        {"ann": 1, "Ann": 1, "ann_smith": 1, "nb_optin_vendor_201": 1, "nb_optin_vendor_20199": 1}
    )

    names = list(json.loads(by.json(text)))

    assert not {"ann", "Ann", "ann_smith"} & {*names}
    assert names[3] == "nb_optin_vendor_201"
    assert names[4].startswith("nb_optin_vendor_")
    assert names[4] != "nb_optin_vendor_20199"


def test_a_number_is_the_same_as_text_and_as_number_and_text_the_same_in_every_case() -> None:
    by = masker()
    for number in range(10_000, 10_060):
        found = json.loads(by.json(json.dumps([{"id": number, "note": str(number)}])))[0]
        assert str(found["id"]) == found["note"]
        assert len(found["note"]) == 5
    spelled = json.loads(
        by.json(json.dumps(["Ann@Example.com", "ann@example.com", "ANN@EXAMPLE.COM"]))
    )
    assert len({text.casefold() for text in spelled}) == 1
    assert spelled[2] == spelled[2].upper()


def test_white_space_escapes_and_what_is_no_json_keep_their_shape() -> None:
    text = '\ufeff{ "id" : "\\u00e4nn" ,\n "note":[ "a\\/b" , 12.50, -1e5, null, true ] } <ann>'

    masked = masker().json(text)

    assert len(masked) == len(text) or "\\u" in masked
    assert masked.startswith('\ufeff{ "id" : "')
    assert ' ,\n "note":[ "' in masked
    assert masked.endswith(">")
    assert "ann" not in masked


def test_no_documented_name_of_a_field_is_a_first_name() -> None:
    first = {
        "ann",
        "anna",
        "will",
        "mark",
        "grant",
        "bill",
        "rose",
        "april",
        "june",
        "frank",
        "jack",
        "mary",
        "john",
    }
    for provider in registry().values():
        assert not {name.casefold() for name in documented(provider).names} & first


def test_every_documented_field_is_known_by_its_name() -> None:
    for provider in registry().values():
        schemas = [each.schema for each in provider.resources if not callable(each.schema)]
        assert schemas
        assert {name for schema in schemas for name in schema} <= documented(provider).names


def test_half_a_copy_is_under_no_name_and_a_second_try_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fetched() -> crmlab.Fetched:
        async with crmlab.sandbox(rows=10, services=["relenta"]) as accounts:
            return await crmlab.fetch(accounts, "contacts", spool=tmp_path / "spool")

    data = asyncio.run(fetched())
    write = redaction.write_private

    def full(path: Path, content: bytes) -> None:
        if path.suffix == ".gz":
            raise CrmlabError(f"{path.name} could not be written (No space left on device)")
        write(path, content)

    monkeypatch.setattr(redaction, "write_private", full)
    with pytest.raises(CrmlabError, match="No space left"):
        redact(tmp_path / "spool")
    assert [path.name for path in tmp_path.iterdir()] == ["spool"]

    monkeypatch.undo()
    left = tmp_path / ".parts-killed"
    left.mkdir()
    copy = redact(tmp_path / "spool")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["spool", "spool-redacted"]
    assert copy.stat().st_mode & 0o077 == 0
    assert crmlab.replay(copy).contacts.height == data.contacts.height
