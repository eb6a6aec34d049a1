"""OnePageCRM as documented: Basic auth, pages of at most 100, items wrapped once, the wall.

Not documented, and as crmlab assumes: the cascade takes ``team`` and embeds nothing; what
``fields`` names and is not known is ignored; the deals embedded with a contact are those of which
it is the main contact; ``lead_sources`` and ``statuses`` of the bootstrap answer are the lists
that their own paths give; a filter that is run by its own path matches contacts of the signed-in
user; a body that names a record which nothing has is refused with 400; of notes, calls, meetings
and actions what an update does not give stays as it is.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aiohttp import web

from crmlab.connector import Limits
from crmlab.sandbox.service import (
    BODY,
    Handler,
    Record,
    Records,
    Service,
    answer,
    dumps,
    extended,
    unix,
)
from crmlab.sandbox.services.onepagecrm import lists
from crmlab.sandbox.services.onepagecrm.asked import asked
from crmlab.sandbox.services.onepagecrm.index import Index
from crmlab.sandbox.services.onepagecrm.query import STREAMS, BadValue, Queries
from crmlab.sandbox.services.onepagecrm.records import Renderers
from crmlab.sandbox.services.onepagecrm.writes import WRITES, Write
from crmlab.sandbox.services.onepagecrm.writing import Refused, Writing
from crmlab.sandbox.world.model import Deal, Person, World

#: contacts that page numbers reach; what the live service answers beyond is not documented
WALL = 10_000
#: contacts on a page of those that a filter matches
_FILTERED = 25
#: contacts in a set of the cascade
_CASCADE = 100
_MAX_DIGITS = 9
#: parameters that do not choose among the records of a list
_OF_PAGES = ("page", "per_page", "fields")
#: lists that are another one, asked for in another way
_LISTED = {**dict.fromkeys(STREAMS, "contacts"), "pinned_attachments": "attachments"}
_USER_ID = "5aba31e99007ba0f570c12f7"
_ERRORS = {
    400: "invalid_request",
    401: "authentication_failed",
    403: "forbidden",
    404: "resource_not_found",
    409: "conflict",
}


def service(world: World) -> Service:
    """Return OnePageCRM with this world's sales data."""
    crm = _Crm(world)
    return Service(
        name="onepagecrm",
        prefix="/onepagecrm/api/v3",
        credentials={"user_id": _USER_ID, "api_key": crm.writing.key},
        allowed=crm.allows,
        refusal=_refusal,
        limits=Limits(rate=5, burst=10),
        lists=crm.lists,
        page_in="page",
        size_in="per_page",
        edges=(("since", "until"), ("modified_since", "unmodified_since")),
        routes=list(_routes(crm)),
    )


def _routes(crm: _Crm) -> Iterator[web.RouteDef]:
    """Yield what answers each path, which works bare and with ``.json``."""
    # paths that are written out come before those with an id in their place
    paths: dict[str, Handler] = {
        "/bootstrap": crm.bootstrap,
        "/attachments/s3_form": crm.upload_form,
        "/contacts/cascade": crm.cascade,
        "/contacts/cascade/{last}": crm.cascade,
        "/contacts/filters/{id}": crm.filtered,
        "/filters/{id}": crm.filtered,
        "/contacts/{id}/relationships": crm.paged(
            "relationships", owner="contacts", by="contact_id"
        ),
        "/contacts/{id}/relationships/{relationship}": crm.relationship,
        "/companies/{id}/linked_contacts": crm.paged(
            "linked_contacts", owner="companies", by="company_id"
        ),
        **{f"/{name}": crm.paged(name) for name in STREAMS},
    }
    for name in crm.lists:
        if name in lists.INSIDE:
            continue
        if name in lists.ARRAYS:
            paths[f"/{name}"] = crm.whole(name)
        else:
            paths[f"/{name}"] = crm.paged(name)
        if name not in lists.WITHOUT_IDS:
            paths.setdefault(f"/{name}/{{id}}", crm.one(name))
    for name in (*lists.OF_CONTACTS, "pinned_attachments"):
        paths[f"/contacts/{{id}}/{name}"] = crm.paged(name, owner="contacts", by="contact_id")
        paths[f"/companies/{{id}}/{name}"] = crm.paged(name, owner="companies", by="company_id")
    for path, handler in paths.items():
        yield from _both("GET", path, handler)
    for (method, path), write in WRITES.items():
        yield from _both(method, path, crm.changing(method, path, write))


def _both(method: str, path: str, handler: Handler) -> Iterator[web.RouteDef]:
    """Yield a path bare and with ``.json``."""
    bare = path.replace("}", ":[^/.]+}")
    yield web.route(method, bare, handler)
    yield web.route(method, f"{bare}.json", handler)


def _refusal(status: int, detail: str = "", **errors: str) -> web.Response:
    if status == 429:  # the throttle's own answer: 403 like a missing right, but plain text
        return web.Response(text="Rate limit exceeded", status=403)
    error_name = _ERRORS.get(status, "internal_error")
    detail = detail or error_name.replace("_", " ").capitalize()
    return answer(
        {
            "status": status,
            "message": detail,
            "error_name": error_name,
            "error_message": detail,
            "errors": errors,
        },
        status=status,
    )


class _Crm:
    def __init__(self, world: World) -> None:
        self.world = world
        #: by id, what was written of a record that the world has no place for
        self.written: dict[str, Record] = {}
        self.lists = lists.lists(world, self.written)
        self._index = Index(self.lists)
        self._rendered = Renderers(self._index, self.written)
        self._queries = Queries(world, self._index)
        self.writing = Writing(world, self.lists, self._rendered, self.written)

    def allows(self, request: web.Request, body: Any) -> bool:
        """Whether a request carries the key that opens the service at that time."""
        kind, _, pair = request.headers.get("Authorization", "").partition(" ")
        if kind != "Basic":
            return False
        try:
            given_pair = b64decode(pair, validate=True).decode()
        except (NotBase64, UnicodeDecodeError):
            return False
        return given_pair == f"{_USER_ID}:{self.writing.key}"

    def _envelope(self, **parts: bytes) -> web.Response:
        return self._enveloped(200, parts)

    def _enveloped(self, status: int, parts: Mapping[str, bytes]) -> web.Response:
        envelope = {
            "status": 0,
            "message": "OK",
            "timestamp": unix(self.world.clock()),
        }
        return answer(extended(dumps(envelope), parts), status=status)

    def changing(self, method: str, path: str, write: Write) -> Handler:
        """What changes something: what it refuses changes nothing."""

        async def handle(request: web.Request) -> web.Response:
            try:
                asking = asked(method, path, request.match_info, dict(request.query), request[BODY])
                data = write(self.writing, asking)
            except Refused as error:
                return _refusal(error.status, error.detail, **error.errors)
            # before the answer is made: it shows the record as it is after the write
            self.writing.forget()
            status = 201 if method == "POST" else 200
            return self._enveloped(status, {"data": data()})

        return handle

    async def bootstrap(self, request: web.Request) -> web.Response:
        return self._envelope(**lists.bootstrap(self.world, self.lists))

    def whole(self, name: str) -> Handler:
        """A list that is never paged."""

        async def handle(request: web.Request) -> web.Response:
            return self._envelope(data=self.lists[name].slice())

        return handle

    def paged(self, name: str, *, owner: str = "", by: str = "") -> Handler:
        """A list in pages; with `owner`, what belongs to the one of these that the path names, whose id is `by`."""

        async def handle(request: web.Request) -> web.Response:
            query = dict(request.query)
            if owner:
                query[by] = request.match_info["id"]
                if not len(self.lists[owner].of("id", query[by])):
                    return _refusal(404)
            return self._answer_page(name, query)

        return handle

    def _answer_page(self, name: str, query: Mapping[str, str]) -> web.Response:
        try:
            page, per_page = _page(query)
            records = self._filtered(name, query)
        except BadValue as error:
            return _refusal(400, str(error))
        if name == "contacts" and page * per_page > WALL:
            return _refusal(400, f"Contacts past {WALL} need /contacts/cascade")
        if name in lists.WHOLE:
            return self._envelope(data=extended(b"{}", {name: records.slice()}))

        stop = page * per_page
        batch = self._batch(name, query, records, stop - per_page, stop)
        counts = {}
        if name not in lists.UNCOUNTED:
            counts = _counts(records, page, per_page)
        if name == "pinned_attachments":  # the only lists whose counts stand beside the data
            return self._envelope(data=extended(b"{}", {name: batch}), **_members(counts))
        # the streams are contacts in another order, and come under their name
        member_name = "contacts" if name in STREAMS else name
        return self._envelope(data=extended(dumps(counts), {member_name: batch}))

    def _batch(
        self, name: str, query: Mapping[str, str], found: Records, start: int, stop: int
    ) -> bytes:
        """Records start..stop as a JSON array, each with what else is asked for of it."""
        embedded = _embedded(query)
        rendered: list[bytes] = []
        if name == "contacts" and embedded:
            for person, contact in found.rendered(start, stop):
                inside = self._of_contact(person.id, embedded)
                rendered.append(extended(contact, inside))
            return _array(rendered)
        if name == "deals" and (_with_contacts(query) or _with_history(query)):
            for deal, deal_record in found.rendered(start, stop):
                rendered.append(self._deal(deal, deal_record, query))
            return _array(rendered)
        return found.slice(start, stop)

    def _of_contact(self, id: str, names: Iterable[str]) -> dict[str, bytes]:
        """The contact's records of these lists, which are not wrapped."""
        records: dict[str, bytes] = {}
        for name in names:
            records[name] = self._records_of(name, id).slice(bare=True)
        return records

    def _records_of(self, name: str, id: str) -> Records:
        if name == "pinned_attachments":
            return self.lists["attachments"].of("pinned_to", id)
        return self.lists[name].of("contact_id", id)

    def _deal(self, deal: Deal, record: bytes, query: Mapping[str, str]) -> bytes:
        """A deal with its last stage in each pipeline, and its contacts beside it, as far as they are asked for."""
        if _with_history(query) and deal.stage_history:
            _, last_stage = deal.stage_history[-1]
            stages = dumps({deal.pipeline_id: last_stage})
            record = extended(record, {"previous_pipeline_stages": stages})
        wrapped = b'{"deal":%s}' % record
        if not _with_contacts(query):
            return wrapped
        contacts: list[bytes] = []
        for contact_id in (deal.contact_id, *deal.linked_contact_ids):
            person = self._index.people.get(contact_id)
            # it may have been deleted: the deal still names it
            if person:
                contact = self._bare_contact(person)
                contacts.append(dumps(contact))
        return extended(wrapped, {"contacts": _array(contacts)})

    def _bare_contact(self, person: Person) -> Any:
        """A contact without what stands beside it in a list."""
        return self._rendered.contact(person)["contact"]

    def one(self, name: str) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            with_this_id = self.lists[name].of("id", request.match_info["id"])
            if not len(with_this_id):
                return _refusal(404)
            one_record = self._batch(name, request.query, with_this_id, 0, 1)
            return self._envelope(data=one_record[1:-1])

        return handle

    async def relationship(self, request: web.Request) -> web.Response:
        """One relationship of a contact, which must be one of its two ends."""
        contact_id = request.match_info["id"]
        relationship_id = request.match_info["relationship"]
        with_this_id = self.lists["relationships"].of("id", relationship_id)
        if not len(with_this_id) or contact_id not in self._index.people:
            return _refusal(404)
        if contact_id not in with_this_id.items[0].contact_ids:
            return _refusal(400, "The contact is no part of the relationship")
        return self._envelope(data=with_this_id.slice()[1:-1])

    async def filtered(self, request: web.Request) -> web.Response:
        """A saved filter with the contacts that it matches, of which a page always holds as many."""
        saved_filters = self.lists["filters"].of("id", request.match_info["id"])
        if not len(saved_filters):
            return _refusal(404)
        try:
            page, _ = _page(request.query)
        except BadValue as error:
            return _refusal(400, str(error))
        contacts = self._filtered("contacts", {})
        matching = self._queries.matching(saved_filters.items[0], contacts)
        stop = page * _FILTERED
        people = matching.items[stop - _FILTERED : stop]
        counts = _counts(matching, page, _FILTERED)
        members = _members(counts)
        members["contacts"] = dumps([{"contact": self._bare_contact(person)} for person in people])
        saved_filter = saved_filters.slice()[1:-1]
        return self._envelope(data=extended(saved_filter, members))

    async def upload_form(self, request: web.Request) -> web.Response:
        """What a file is sent with to where files are stored, for a contact."""
        contact_id = request.query.get("contact_id")
        if not contact_id:
            return _refusal(400, "contact_id is missing", contact_id="is missing")
        if contact_id not in self._index.people:
            return _refusal(404)
        fields = {
            "key": f"{contact_id}/",
            "acl": "private",
            "success_action_status": "201",
            "policy": "sandbox",
        }
        form = {
            "quota": 0,
            "display_quota": "0 B",
            "url": "https://files.example.com/",
            "fields": fields,
        }
        return self._envelope(data=dumps(form))

    async def cascade(self, request: web.Request) -> web.Response:
        contacts = self._filtered("contacts", request.query)
        ids = [person.id for person in contacts.items]
        last_id = request.match_info.get("last")
        if last_id is not None and last_id not in ids:
            return _refusal(404)
        start = 0
        if last_id is not None:
            start = ids.index(last_id) + 1
        stop = start + _CASCADE
        items_left = max(0, len(ids) - stop)
        next_url = ""
        if items_left:  # the last set says so by an address that is empty
            cascade = f"{request.scheme}://{request.host}/onepagecrm/api/v3/contacts/cascade"
            next_url = f"{cascade}/{ids[stop - 1]}"
        set_counts = dumps({"items_left": items_left, "next_set_url": next_url})
        batch = contacts.slice(start, stop)
        return self._envelope(data=extended(set_counts, {"contacts": batch}))

    def _filtered(self, name: str, query: Mapping[str, str]) -> Records:
        """The list as the query asks for it, kept until the list changes."""
        # the parameters that choose records, whatever their order: those of the page do not
        narrowing = sorted(item for item in query.items() if item[0] not in _OF_PAGES)
        listed = self.lists[_LISTED.get(name, name)]

        def filtered() -> Records:
            return self._queries.answer(name, listed, query)

        return listed.once(f"{name} {narrowing}", filtered, of_others=True)


def _counts(found: Records, page: int, per_page: int) -> dict[str, int]:
    full_pages, left_over = divmod(len(found), per_page)
    pages = full_pages + bool(left_over)
    return {
        "total_count": len(found),
        "page": page,
        "per_page": per_page,
        "max_page": max(1, pages),
    }


def _members(values: Mapping[str, Any]) -> dict[str, bytes]:
    return {member: dumps(value) for member, value in values.items()}


def _array(items: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(items) + b"]"


def _embedded(query: Mapping[str, str]) -> list[str]:
    """The lists that come with each contact."""
    fields = query.get("fields", "").split(",")
    return [listed for listed in lists.EMBEDDED if f"{listed}(all)" in fields]


def _with_contacts(query: Mapping[str, str]) -> bool:
    return "contacts(all)" in query.get("fields", "").split(",")


def _with_history(query: Mapping[str, str]) -> bool:
    return query.get("include_history") == "true"


def _page(query: Mapping[str, str]) -> tuple[int, int]:
    """Return which page is asked for, and how many records it may hold."""
    page = _whole_number(query, "page", 1)
    per_page = _whole_number(query, "per_page", 10)
    return page, min(per_page, 100)


def _whole_number(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name, str(default))
    if not value.isdecimal() or len(value) > _MAX_DIGITS or int(value) < 1:
        raise BadValue(f"{name} must be a positive whole number")
    return int(value)
