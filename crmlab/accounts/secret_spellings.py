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
    found = {secret}
    if len(secret) >= _SECRET_LENGTH:
        content = secret.encode("utf-8", "surrogatepass")
        in_urls = [quote(content), quote(content, safe=""), quote_plus(content)]
        found.update(in_urls)
        found.update(_ESCAPE.sub(lambda escape: escape[0].lower(), each) for each in in_urls)
        for in_json in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
            found.update((in_json, in_json.replace("/", "\\/")))
        found.update((html.escape(secret), html.escape(secret, quote=False)))
        found.update((content.hex(), content.hex().upper()))
        found.update(_in_base64(content))
    return sorted(found, key=len, reverse=True)


def _in_base64(content: bytes) -> list[str]:
    """Return what is the same of all texts in Base64 that hold this, wherever it begins: three by three bytes."""
    found = []
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + content).decode().rstrip("=")
        # the first characters are of what stands before, the last one of what follows
        start = -(-before * 8 // 6)
        end = (before + len(content)) * 8 // 6
        core = encoded[start:end]
        found += [core, core.replace("+", "-").replace("/", "_"), core.replace("/", "\\/")]
    return found
