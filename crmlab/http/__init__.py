"""The only room with a network: limits, and who leaves next. `client` loads aiohttp, so it is imported when used."""

from __future__ import annotations

from crmlab.http.limiter import Limiter
from crmlab.http.rate_queue import Scope, scope_of

__all__ = ["Limiter", "Scope", "scope_of"]
