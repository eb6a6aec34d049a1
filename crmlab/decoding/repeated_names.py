"""Names that stand twice in one JSON object: every reader takes one of the values, and says nothing.

Only the first record of a page is looked at. To look at all of them takes 2.2 times the CPU of decoding them (54 ms
beside 24 ms for 2,000 contacts of OnePageCRM), and the first ones 0.5 %. A service that writes a name twice does
so in every record.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from crmlab.decoding.records import Record

#: bytes of a record that is looked at
_MAX_BYTES = 100_000


def repeated_names(found: Sequence[Record]) -> list[str]:
    """Return the names that stand more than once in an object of the first record of a page, in their order."""
    if not found or found[0].size > _MAX_BYTES:
        return []
    repeated: dict[str, None] = {}

    def note(pairs: list[tuple[str, object]]) -> None:
        counts = Counter(member_name for member_name, _ in pairs)
        if len(counts) == len(pairs):
            return
        for member_name, count in counts.items():
            if count > 1:
                repeated[member_name] = None

    try:
        json.loads(found[0].text, object_pairs_hook=note)
    except (ValueError, RecursionError):  # what is no JSON, or nested too deeply, is told elsewhere
        return []
    return [*repeated]
