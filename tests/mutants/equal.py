"""Faults that are none: what the module says with them is the same, for the reason that is given."""

#: by module: the change, and why nothing can tell it
EQUAL: dict[str, dict[str, str]] = {}
