"""What is held on one person over all tables and services: shown to them, or taken out of stored files."""

from __future__ import annotations

from crmlab.privacy.dossier import Dossier, about
from crmlab.privacy.erasing import erase

__all__ = [
    "Dossier",
    "about",
    "erase",
]
