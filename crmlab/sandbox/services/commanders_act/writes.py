"""What is written to the service's objects, so that later reads show it; the world itself stays as it is.

Bodies are refused where they lack what the document requires, or hold a value that it does not allow; what it does not
know is left out. Not documented, and as crmlab assumes: a change that has no id in its path names it in its body or as
a parameter, an object that goes to the trash is in no list any more, and a version of a tag is the number of
its changes.
"""

from __future__ import annotations

import copy
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from aiohttp import web

from crmlab.connector import Operation
from crmlab.providers import registry
from crmlab.sandbox.service import BODY
from crmlab.sandbox.services.commanders_act import replies
from crmlab.sandbox.services.commanders_act.collection import (
    Collection,
    Object,
    without_related,
)
from crmlab.sandbox.services.commanders_act.integrations import Integrations
from crmlab.sandbox.services.commanders_act.records import offset_time
from crmlab.sandbox.world.model import World

if TYPE_CHECKING:
    from pydantic import BaseModel

#: paths that stand for the objects at another one
_SAME = {"/admin/users": "/users"}
_INTEGRATIONS = {"/sources": "source", "/destinations": "destination", "/integrations": ""}
#: answers whose type is another one than that of the object
_TYPES = {
    ("PATCH", "/tms/web-tags"): "tms/web-tags-update",
    ("PATCH", "/tms/serverside-tags"): "tms/serverside-tags-update",
}
#: of which the document describes no body, though its answers require these
_RULE = ("domain", "tld", "rule", "is_active")
#: what a tag may be linked with, and unlinked from
_LINKED = ("triggers", "perimeters", "constraints")
_PART = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class _Matched:
    """The operation that a request asks for, and what stands in the places of its path."""

    operation: Operation
    parts: Mapping[str, str]

    @property
    def path(self) -> str:
        """The path of the objects that it is about."""
        before_id = self.operation.path.partition("/{")[0].rstrip("/")
        return _SAME.get(before_id, before_id)


class Writes:
    """Answers what changes something."""

    def __init__(
        self, world: World, collections: Mapping[str, Collection], integrations: Integrations
    ) -> None:
        self._now = offset_time(world.now)
        self._collections: dict[str, Collection] = {}
        for path, collection in collections.items():
            self._collections[path.rstrip("/")] = collection
        self._integrations = integrations
        #: attributes that a tag had, by its id
        self._versions: defaultdict[str, list[Object]] = defaultdict(list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request, whatever it changes."""
        matched = _matched(request)
        if matched is None:
            return replies.refusal(404)
        body = _body(matched.operation, request[BODY])
        if matched.path in _INTEGRATIONS:
            return self._write_integration(request, matched, body)
        collection = self._collections[matched.path]
        method = matched.operation.method
        if method == "POST":
            return self._create(matched, collection, body)
        if method == "DELETE":
            return self._delete(request, matched, collection)
        if matched.operation.path.endswith("/revert"):
            return self._revert(request, matched, collection, body)
        return self._change(request, matched, collection, body)

    # ---- objects ---------------------------------------------------------------------------------

    def _create(self, matched: _Matched, collection: Collection, body: Object) -> web.Response:
        attributes_given = body.get("attributes", {})
        if matched.path == "/ams/redirect-rules":
            _require(attributes_given, _RULE)
        if collection.has(attributes_given):
            conflict = {"code": "CONFLICT", "detail": f"{collection.unique} is taken"}
            return replies.errors(409, conflict)
        blank = self._blank(matched.path, collection)
        attributes = {**blank, **attributes_given}
        related = {}
        for relation, linked in body.get("relationships", {}).items():
            if "data" in linked:
                related[relation] = linked["data"]
        return replies.data(collection.add(attributes, **related))

    def _blank(self, path: str, collection: Collection) -> Object:
        """Return what the service itself says of a new object."""
        times = {"created": self._now, "updated": self._now}
        next_version = f"{len(collection.objects) + 1}.00"
        blank: dict[str, Object] = {
            "/health/alerts": {
                "last_check_at": self._now,
                "last_check_value": "0",
                "created_at": self._now,
                "updated_at": self._now,
            },
            "/health/notifications": {"last_notified_at": self._now},
            "/privacy/cookie-scanner/setting/custom-fields": {
                "position": 1,
                "is_system": 0,
                **times,
            },
            "/privacy/cookie-scanners": {
                "version": next_version,
                "new": "",
                "ignored": "",
                "languages": ["en"],
                "is_deployed": 0,
                "filename": "cookies-all",
                **times,
            },
        }
        return blank.get(path, {})

    def _change(
        self, request: web.Request, matched: _Matched, collection: Collection, body: Object
    ) -> web.Response:
        entity = _named(collection, _id(request, matched, body))
        attributes_given = dict(body.get("attributes", {}))
        is_trash = attributes_given.pop("trash", False)
        attributes_given.pop("id_tag", None)
        attributes_before = copy.deepcopy(entity["attributes"])
        self._versions[str(entity["id"])].append(attributes_before)
        if matched.operation.method == "PUT":  # it replaces what was there before
            entity["attributes"] = dict(attributes_given)
        else:
            entity["attributes"] = {**entity["attributes"], **attributes_given}
        related = body.get("relationships", {})
        self._link(matched.path, entity, related)
        # lists are of what a tag is linked with and unlinked from, and stand at the other end
        kept_relations = {}
        for relation, linked in related.items():
            if isinstance(linked, dict):
                kept_relations[relation] = linked
        if kept_relations:
            entity["relationships"] = {**entity.get("relationships", {}), **kept_relations}
        if is_trash:
            collection.objects.remove(entity)
        update = _TYPES.get((matched.operation.method, matched.path))
        if update:
            attributes = {"id_tag": int(entity["id"]), **attributes_given}
            return replies.data({"id": entity["id"], "type": update, "attributes": attributes})
        shown_entity = without_related(entity)
        if kept_relations:
            shown_entity["relationships"] = kept_relations
        return replies.data(shown_entity)

    def _link(self, path: str, tag: Object, related: Mapping[str, Any]) -> None:
        """Link a tag with what fires it, and unlink it, where that is said."""
        side = path.removesuffix("-tags")
        for kind in _LINKED:
            conditions = self._collections.get(f"{side}-{kind}")
            if conditions is None:
                continue
            this_tag = {"type": f"{side.strip('/')}-tags", "id": int(tag["id"])}
            for other_id in _ids(related.get(f"link_{kind}")):
                _tags_of(conditions.named(other_id)).append(this_tag)
            for other_id in _ids(related.get(f"unlink_{kind}")):
                tags = _tags_of(conditions.named(other_id))
                # in place: the list is the other one's own
                tags[:] = [linked for linked in tags if linked["id"] != this_tag["id"]]

    def _revert(
        self, request: web.Request, matched: _Matched, collection: Collection, body: Object
    ) -> web.Response:
        entity = _named(collection, _id(request, matched, body))
        version = body["attributes"]["version"]
        earlier = self._versions[str(entity["id"])]
        if not version.isdecimal() or not 0 < int(version) <= len(earlier):
            raise replies.NoDataError
        # a copy, since a further change must leave the version as it was
        entity["attributes"] = copy.deepcopy(earlier[int(version) - 1])
        return replies.data(without_related(entity))

    def _delete(
        self, request: web.Request, matched: _Matched, collection: Collection
    ) -> web.Response:
        entity = _named(collection, _id(request, matched, {}))
        collection.objects.remove(entity)
        if matched.path == "/ams/redirect-rules":  # the document answers with what was deleted
            attributes = {**entity["attributes"], "deleted_at": self._now}
            return replies.data({**entity, "attributes": attributes})
        return web.Response(status=204)

    async def deploy(self, request: web.Request) -> web.Response:
        """Deploy a version of the list of cookies: the one read that changes something."""
        scanners = self._collections["/privacy/cookie-scanners"].objects
        versions = [scanner["attributes"]["version"] for scanner in scanners]
        wanted = request.match_info["version"]
        if wanted not in versions:
            raise replies.NoDataError
        # one version is deployed at a time: it takes the place of the one before
        for scanner in scanners:
            attributes = scanner["attributes"]
            attributes["is_deployed"] = int(attributes["version"] == wanted)
            if attributes["is_deployed"]:
                attributes["deployed"] = self._now
        return web.Response()

    # ---- sources and destinations ----------------------------------------------------------------

    def _write_integration(
        self, request: web.Request, matched: _Matched, body: Object
    ) -> web.Response:
        direction = _INTEGRATIONS[matched.path]
        attributes_given = body.get("attributes", {})
        if matched.operation.method == "POST":
            return replies.data(_as_platform(self._integrations.add(direction, attributes_given)))
        integration = self._integrations.named(_id(request, matched, body), direction)
        if matched.operation.method == "DELETE":
            self._integrations.delete(integration)
            return web.Response(status=204)
        return replies.data(_as_platform(self._integrations.change(integration, attributes_given)))


def _as_platform(integration: Object) -> Object:
    """Return a source or destination as a write answers with it, without what it is related to."""
    return {**without_related(integration), "type": "platform/integrations"}


# ---- what is asked ------------------------------------------------------------------------------


@cache
def _templates() -> list[tuple[Operation, re.Pattern[str]]]:
    """Return what changes something, each with its path as a pattern; loaded when something is first written."""
    templates = []
    for operation in registry()["commanders_act"].operations():
        if operation.writes:
            pattern = _PART.sub(r"(?P<\1>[^/]+)", operation.path) + "/?$"
            templates.append((operation, re.compile(pattern)))
    return templates


def _matched(request: web.Request) -> _Matched | None:
    path = "/" + request.match_info["path"]
    for operation, pattern in _templates():
        path_match = pattern.match(path)
        if path_match and operation.method == request.method:
            return _Matched(operation, path_match.groupdict())
    return None


def _body(operation: Operation, given: Any) -> Object:
    """Return the ``data`` of a body as the document describes it.

    Raises
    ------
    BadFilterError
        it is absent where there must be one, or not as the document describes it
    """
    if operation.body is None:
        data: object = {}
        if isinstance(given, dict):
            data = given.get("data")
        # nothing is checked of a body that the document does not describe
        if not isinstance(data, dict):
            return {}
        return data
    from pydantic import ValidationError  # loaded when something is written

    known = _without_unknown(operation.body, given)
    try:
        model = operation.body.model_validate(known)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        location = ".".join(map(str, fault["loc"]))
        raise replies.BadFilterError(f"{location}: {fault['msg']}") from None
    body = model.model_dump(by_alias=True, exclude_unset=True, mode="json")
    if not isinstance(body.get("data"), dict):
        raise replies.BadFilterError("data is missing")
    return dict(body["data"])


def _without_unknown(model: type[BaseModel], given: Any) -> Any:
    """Return a body without fields that the document does not know, which the service leaves alone."""
    from pydantic import ValidationError  # as above

    known = given
    try:
        model.model_validate(given)
    except ValidationError as error:
        known = copy.deepcopy(given)
        for fault in error.errors(include_input=False):
            if fault["type"] == "extra_forbidden":
                _remove(known, fault["loc"])
    return known


def _remove(body: Any, place: tuple[int | str, ...]) -> None:
    *parents, last = place
    for step in parents:
        has_step = isinstance(body, dict) and step in body
        has_place = isinstance(body, list) and isinstance(step, int) and step < len(body)
        if not has_step and not has_place:
            return  # the name of one of several forms that a value may have
        body = body[step]
    if isinstance(body, dict):
        body.pop(last, None)


def _require(given: Mapping[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if name not in given:
            raise replies.BadFilterError(f"data.attributes.{name} is missing")


def _id(request: web.Request, matched: _Matched, body: Mapping[str, Any]) -> str:
    """Return the id of what is changed: in the path, in the body, or as a parameter."""
    attributes = body.get("attributes", {})
    candidates = (
        *matched.parts.values(),
        body.get("id"),
        attributes.get("id_tag"),
        request.query.get("id"),
    )
    given_ids = [str(candidate) for candidate in candidates if candidate is not None]
    if not given_ids or not given_ids[0]:
        raise replies.BadFilterError("id is missing")
    return given_ids[0]


def _named(collection: Collection, id: str) -> Object:
    entity = collection.named(id)
    if entity is None:
        raise replies.NoDataError
    return entity


def _ids(related: Any) -> list[str]:
    """Return the ids that relations of a tag name."""
    if not isinstance(related, list):
        return []
    return [str(relation["data"]["id"]) for relation in related]


def _tags_of(other: Object | None) -> list[Object]:
    """Return the tags of a trigger or rule, to be changed."""
    if other is None:
        raise replies.NoDataError
    relationships = other.setdefault("relationships", {})
    relation = relationships.setdefault("tags", {"data": []})
    tags: list[Object] = relation["data"]
    return tags
