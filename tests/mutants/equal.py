"""Faults that are none: what the module says with them is the same, for the reason that is given."""

#: by module: the line, what stands in it and what would, and why nothing can tell
EQUAL: dict[str, dict[tuple[str, str, str], str]] = {
    "crmlab/decoding/strict.py": {
        (
            'return msgspec.defstruct("Accepted", declared, rename=names, gc=False)',
            "msgspec.defstruct('Accepted', declared, rename=names, gc=False)",
            "msgspec.defstruct('Accepted', declared, rename=names)",
        ): "it only saves time: what is decoded is thrown away",
        (
            'return msgspec.defstruct("Accepted", declared, rename=names, gc=False)',
            "False",
            "True",
        ): "it only saves time: what is decoded is thrown away",
        (
            'return msgspec.defstruct("Accepted", declared, rename=names, gc=False)',
            "'Accepted'",
            "'Accepted~'",
        ): "nobody sees the name of the class",
    },
}
