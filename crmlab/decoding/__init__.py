"""From the bytes of pages to frames, strictly: records, their documented types, tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmlab.decoding.decoder import EXPORTS, RAW, REJECTED, Decoded, Decoder, decoder, given_key
from crmlab.decoding.envelope import as_documented
from crmlab.decoding.misfit_keys import MISFIT_KEYS
from crmlab.decoding.misfits import MAX_KEPT, MISFITS
from crmlab.decoding.records import Record, as_listed, held, records, unknown_fields
from crmlab.decoding.repeated_names import repeated_names
from crmlab.decoding.secrets import body_without_secrets, with_new_secret, without_secrets
from crmlab.loading import when_used

if TYPE_CHECKING:
    from crmlab.decoding.answer import answer_shape
    from crmlab.decoding.shapes import Masker, is_id

__all__ = [
    "EXPORTS",
    "MAX_KEPT",
    "MISFITS",
    "MISFIT_KEYS",
    "RAW",
    "REJECTED",
    "Decoded",
    "Decoder",
    "Masker",
    "Record",
    "answer_shape",
    "as_documented",
    "as_listed",
    "body_without_secrets",
    "decoder",
    "given_key",
    "held",
    "is_id",
    "records",
    "repeated_names",
    "unknown_fields",
    "with_new_secret",
    "without_secrets",
]

# what a fetch does not need
__getattr__ = when_used(
    __name__,
    {
        **dict.fromkeys(("Masker", "is_id"), "crmlab.decoding.shapes"),
        "answer_shape": "crmlab.decoding.answer",
    },
)
