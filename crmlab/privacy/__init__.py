"""What is held on one person over all tables and services: shown to them, or taken out of stored files."""

from __future__ import annotations

from crmlab.privacy.dossier import Dossier, about, everything
from crmlab.privacy.erasing import erase
from crmlab.privacy.person import Person, find
from crmlab.privacy.search import FOUND_BY, Found, without

__all__ = [
    "FOUND_BY",
    "Dossier",
    "Found",
    "Person",
    "about",
    "erase",
    "everything",
    "find",
    "without",
]
