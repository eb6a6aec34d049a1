"""Faults that are none: what the module says with them is the same, for the reason that is given."""

#: by module: the line, what stands in it and what would, and why nothing can tell
EQUAL: dict[str, dict[tuple[str, str, str], str]] = {
    "crmlab/connector/paging.py": {
        (
            "in_body: bool = False",
            "in_body: bool = False",
            "in_body: bool = None",
        ): "it is only asked whether it is true",
        (
            'size = str(self._fields(request).get(self.name, ""))',
            "''",
            "'~'",
        ): "neither is a number",
        (
            "if number > max_window:",
            "number > max_window",
            "number >= max_window",
        ): "of the width itself both say that a window ends there: it is a power of two",
    },
    "crmlab/connector/time_slices.py": {
        (
            "_GUESSED_PAGES = 16",
            "16",
            "17",
        ): "it is a guess, and one page more is as good a one",
        (
            '_NEWEST = "newest"',
            "_NEWEST = 'newest'",
            "_NEWEST = None",
        ): "nobody else reads the tag",
        ('_NEWEST = "newest"', "'newest'", "'newest~'"): "nobody else reads the tag",
        (
            "is_open: bool = False",
            "is_open: bool = False",
            "is_open: bool = None",
        ): "it is only asked whether it is true",
        (
            "class _Slicer(msgspec.Struct, frozen=True, kw_only=True):",
            "True",
            "False",
        ): "nothing writes to it, and all of it is given by name",
        ("return []", "return []", "return None"): "it is only asked whether there are any",
    },
    "crmlab/decoding/strict.py": {
        (
            'return msgspec.defstruct("Accepted", declared, rename=attribute_names, gc=False)',
            "msgspec.defstruct('Accepted', declared, rename=attribute_names, gc=False)",
            "msgspec.defstruct('Accepted', declared, rename=attribute_names)",
        ): "it only saves time: what is decoded is thrown away",
        (
            'return msgspec.defstruct("Accepted", declared, rename=attribute_names, gc=False)',
            "False",
            "True",
        ): "it only saves time: what is decoded is thrown away",
        (
            'return msgspec.defstruct("Accepted", declared, rename=attribute_names, gc=False)',
            "'Accepted'",
            "'Accepted~'",
        ): "nobody sees the name of the class",
    },
    "crmlab/fetching/completeness.py": {
        (
            "if self._began_at is None or self._ended_at is None:",
            "self._began_at is None or self._ended_at is None",
            "self._began_at is None and self._ended_at is None",
        ): "both are set by the same answer",
        (
            "return grown_by <= 0 or grown_by <= self.inserted",
            "grown_by <= 0",
            "grown_by < 0",
        ): "a list that grew by nothing grew by no more than what was inserted",
    },
    "crmlab/http/limiter.py": {
        ("self._refusals = 0", "0", "1"): "refusals are only compared with each other",
        ("self._refusals += 1", "1", "2"): "refusals are only compared with each other",
        **dict.fromkeys(
            (
                (
                    "return 2 * self._seconds * max(1.0, 1 / self._allowed)",
                    "2 * self._seconds * max(1.0, 1 / self._allowed)",
                    "2 * self._seconds / max(1.0, 1 / self._allowed)",
                ),
                ("return 2 * self._seconds * max(1.0, 1 / self._allowed)", "1", "2"),
            ),
            "below one in a window the number of departures decides nothing, and the last is always remembered",
        ),
    },
}
