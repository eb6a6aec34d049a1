"""Contacts and employees as they are now: those of the world, what uploads changed of them, and who was deleted.

Not documented, and as crmlab assumes: that the deletion of an employee who still has contacts is refused with 409, and
that what events said of a contact stays in the feed after its deletion.
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from crmlab.sandbox.service import Record
from crmlab.sandbox.services.complero.uploads import CONTACTS, EMPLOYEES, Kind, Uploads


class People:
    """What can be asked for by id, and deleted.

    `contact` and `employee` give a record of the world by its id, None where there is none, and `assigned` the contacts
    of the world that an employee has.
    """

    def __init__(
        self,
        uploads: Uploads,
        *,
        contact: Callable[[str], Record | None],
        employee: Callable[[str], Record | None],
        assigned: Callable[[str], set[str]],
        answered: Callable[..., web.Response],
        refusal: Callable[..., web.Response],
    ) -> None:
        self._uploads = uploads
        self._of_world = {CONTACTS.model: contact, EMPLOYEES.model: employee}
        self._assigned = assigned
        self._answered = answered
        self._refusal = refusal
        self._deleted: set[tuple[str, str]] = set()

    def find(self, id_: str, kind: Kind) -> Record | None:
        """Return a record as it is now; None where there is none, or none any more."""
        changes = self._uploads.changes(id_, kind)
        world_record = None
        # what was uploaded after a deletion is a record of its own: the world's does not come back
        if (kind.model, id_) not in self._deleted:
            world_record = self._of_world[kind.model](id_)
        if world_record:
            return {**world_record, **changes}
        if changes:
            return kind.blank(changes)
        return None

    async def contact(self, request: web.Request) -> web.Response:
        """Answer with a contact."""
        return self._one(request, CONTACTS)

    async def employee(self, request: web.Request) -> web.Response:
        """Answer with an employee."""
        return self._one(request, EMPLOYEES)

    async def delete_contact(self, request: web.Request) -> web.Response:
        """Delete a contact."""
        return self._delete(request.match_info["id"], CONTACTS)

    async def delete_employee(self, request: web.Request) -> web.Response:
        """Delete an employee who has no contacts any more."""
        employee_id = request.match_info["id"]
        # an upload may have assigned a contact to somebody else since, or it was deleted
        for contact_id in self._assigned(employee_id) | self._uploads.assigned_to(employee_id):
            contact = self.find(contact_id, CONTACTS)
            if contact and contact["employee_id"] == employee_id:
                return self._refusal(409, "contacts are still assigned to the employee")
        return self._delete(employee_id, EMPLOYEES)

    def _one(self, request: web.Request, kind: Kind) -> web.Response:
        record = self.find(request.match_info["id"], kind)
        if record is None:
            return self._refusal(404)
        return self._answered(record)

    def _delete(self, id_: str, kind: Kind) -> web.Response:
        if self.find(id_, kind) is None:
            return self._refusal(404)
        self._deleted.add((kind.model, id_))
        self._uploads.forget(id_, kind)
        return self._answered({"message": "deleted"})
