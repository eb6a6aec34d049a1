"""The documentation of consents that the sandbox's Complero keeps: one PDF of one page for each documented event.

What a real one shows is not documented; these show contact, event, channel and decision.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from aiohttp import web

from crmlab.sandbox.service import iso
from crmlab.sandbox.world.model import ConsentEvent, World

_FONT_SIZE = 12
_TOP = 780
_LINE = 18


class Documentation:
    """Which documentation belongs to which contact and event.

    `find` gives a contact that is there, by its id, and `not_found` makes the answer where there is nothing.
    """

    def __init__(
        self,
        world: World,
        find: Callable[[str], object | None],
        not_found: Callable[[], web.Response],
    ) -> None:
        self._find = find
        self._not_found = not_found
        contact_ids = {person.id: person.complero_id for person in world.people_in("complero")}
        self._events: dict[str, list[ConsentEvent]] = {}
        for event in sorted(world.consent_events, key=attrgetter("at", "id")):
            contact_id = contact_ids.get(event.person_id)
            if event.has_documentation and contact_id is not None:
                self.add(contact_id, event)

    def add(self, contact: str, event: ConsentEvent) -> None:
        """Take in an event of a contact that has a documentation."""
        self._events.setdefault(contact, []).append(event)

    async def by_contact(self, request: web.Request) -> web.Response:
        """Answer with the newest documentation of a contact."""
        contact = request.match_info["contact_id"]
        events = self._of(contact)
        if not events:
            return self._not_found()
        return _file(contact, events[-1])

    async def by_event(self, request: web.Request) -> web.Response:
        """Answer with the documentation of one event of a contact."""
        contact = request.match_info["contact_id"]
        event_id = request.match_info["event_id"]
        for event in self._of(contact):
            if event.id == event_id:
                return _file(contact, event)
        return self._not_found()

    def _of(self, contact: str) -> list[ConsentEvent]:
        """Return the documented events of a contact; none of one that is not there any more."""
        if not self._find(contact):
            return []
        return self._events.get(contact, [])


def _file(contact: str, event: ConsentEvent) -> web.Response:
    decision = "yes" if event.opted_in else "no"
    lines = (
        "Documentation of a consent (sandbox, invented)",
        f"contact {contact}",
        f"event {event.id}: {event.kind} of {iso(event.at)}",
        f"{event.channel}: {decision}, by {event.source}",
    )
    return web.Response(body=pdf(lines), content_type="application/pdf")


def pdf(lines: tuple[str, ...]) -> bytes:
    """Return a PDF of one page that shows these lines (ISO 32000-1, 7.5)."""
    shown = ""
    for line in lines:
        shown += f"({_escaped(line)}) Tj 0 -{_LINE} Td "
    drawing = f"BT /F1 {_FONT_SIZE} Tf 60 {_TOP} Td {shown}ET"
    content = drawing.encode("latin-1", "replace")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    file = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, pdf_object in enumerate(objects, start=1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, pdf_object)
    # readers look each object up by the byte it begins
    # at, in a table whose own begin stands at the end
    table_offset = len(file)
    entries = len(objects) + 1  # the first entry of every table is free
    file += b"xref\n0 %d\n0000000000 65535 f \n" % entries
    for offset in offsets:
        file += b"%010d 00000 n \n" % offset
    file += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % entries
    file += b"startxref\n%d\n%%%%EOF\n" % table_offset
    return bytes(file)


def _escaped(text: str) -> str:
    # the backslash first: those that escape a bracket stay single
    for special in ("\\", "(", ")"):
        text = text.replace(special, f"\\{special}")
    return text
