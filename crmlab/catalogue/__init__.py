"""Every question that a figure of `crmlab.plots` answers: in words, and in the code that answers it.

The report, the explorer, the pictures in docs/figures and the how-to pages show what stands here.
"""

from collections.abc import Mapping
from types import MappingProxyType

from crmlab.catalogue import across, activity, banner, consent, pipeline
from crmlab.catalogue.entry import GIVEN, Entry, Filter, Filters, evaluate, variables_of
from crmlab.catalogue.script import Choices, script

#: the questions under their headings, in the order to read them
SECTIONS: Mapping[str, tuple[Entry, ...]] = MappingProxyType(
    {
        "Pipeline": pipeline.ENTRIES,
        "Activity": activity.ENTRIES,
        "Consent": consent.ENTRIES,
        "Consent banner": banner.ENTRIES,
        "Across services": across.ENTRIES,
    }
)
#: every question by the name of its figure
CATALOGUE: Mapping[str, Entry] = MappingProxyType(
    {entry.name: entry for entries in SECTIONS.values() for entry in entries}
)

__all__ = [
    "CATALOGUE",
    "GIVEN",
    "SECTIONS",
    "Choices",
    "Entry",
    "Filter",
    "Filters",
    "evaluate",
    "script",
    "variables_of",
]
