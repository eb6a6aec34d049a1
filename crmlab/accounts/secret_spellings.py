"""How a secret may be spelled in what a service answers: it echoes requests, and their headers and addresses."""

from __future__ import annotations

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus

#: of a shorter secret, other spellings may be any word
_SECRET_LENGTH = 8
_ESCAPE = re.compile("%[0-9A-F]{2}")


def spellings(secret: str) -> list[str]:
    """Return a secret as it is, and as URLs, JSON, HTML, hexadecimal digits and Base64 spell it; the longest first.

    Examples
    --------
    >>> spellings("short")
    ['short']
    >>> "k3y%2Fof+4711" in spellings("k3y/of 4711")
    True
    """
    if len(secret) < _SECRET_LENGTH:
        return [secret]
    content = secret.encode("utf-8", "surrogatepass")
    spelled = {secret}
    for in_url in (quote(content), quote(content, safe=""), quote_plus(content)):
        spelled.add(in_url)
        spelled.add(_ESCAPE.sub(lambda escape: escape[0].lower(), in_url))
    for in_quotes in (json.dumps(secret), json.dumps(secret, ensure_ascii=False)):
        in_json = in_quotes[1:-1]
        spelled.add(in_json)
        spelled.add(in_json.replace("/", "\\/"))
    spelled.add(html.escape(secret))
    spelled.add(html.escape(secret, quote=False))
    spelled.add(content.hex())
    spelled.add(content.hex().upper())
    spelled.update(_in_base64(content))
    return sorted(spelled, key=len, reverse=True)


def _in_base64(content: bytes) -> list[str]:
    """Return what is the same of all texts in Base64 that hold this, wherever it begins: three by three bytes."""
    fragments = []
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + content).decode().rstrip("=")
        # the first characters are of what stands before, the last one of what follows
        first_constant = -(-before * 8 // 6)
        after_constant = (before + len(content)) * 8 // 6
        constant_part = encoded[first_constant:after_constant]
        fragments += [
            constant_part,
            constant_part.replace("+", "-").replace("/", "_"),
            constant_part.replace("/", "\\/"),
        ]
    return fragments
