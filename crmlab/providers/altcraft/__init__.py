"""Altcraft Marketing API v1.1: profiles, subscriptions, campaigns and the history of every mailing.

Everything is POST with a JSON body, reads too. The answer's own ``error`` says whether it is one,
whatever the HTTP status. Sources: the vendor's page "Requests format" and its guides
(guides.altcraft.com), where many pages end early and none names a rate limit: see
`PROVIDER.assumptions`.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
import polars as pl

from crmlab.connector import (
    ChangeFilter,
    Context,
    Fact,
    Field,
    Limits,
    Page,
    PageSize,
    Provider,
    Request,
    Resource,
    Schema,
    count_and_names,
    known_zone,
    loaded_from,
    page_size_fact,
    read_refusal,
    refuse,
    time_zone_fact,
    with_zone,
)
from crmlab.errors import NotFoundError
from crmlab.providers.altcraft import fields, pages, views
from crmlab.providers.altcraft.asking import (
    LIMIT,
    PAGE_SIZE,
    for_each,
    ids,
    is_other_database,
    lacks_counters,
    lacks_details,
    number,
    objects,
    post,
)
from crmlab.providers.altcraft.details import DETAILS
from crmlab.providers.altcraft.export import ASSUMPTIONS, exported

#: history is asked by days; that of a fetch without `since` begins here
LONG_AGO = dt.date(2000, 1, 1)
#: the days' time zone is not documented, and the times of history may be local: a day covers both
_CHANGED = ChangeFilter(overlap=dt.timedelta(days=1), by_day=True, of_events=True)


class _Envelope(msgspec.Struct):
    error: int | str
    error_text: str = ""


def _sign(request: Request, secrets: Mapping[str, str]) -> Request:
    # a file is not asked for with a body
    if secrets.get("token_in") == "body" and not request.is_file:
        return request.with_body(token=secrets["token"])
    return request.with_headers(Authorization=f"Bearer {secrets['token']}")


def _check(page: Page) -> None:
    """Raise what the envelope calls an error: it may come with HTTP 200."""
    envelope = (
        page.read(_Envelope) if page.succeeded else read_refusal(page, _Envelope(error=page.status))
    )
    code = str(envelope.error)
    if code == "0":
        code = ""
    if page.succeeded and not code:
        return
    if code == "501":  # "the method does not exist": no failure that passes
        raise NotFoundError(501, code, envelope.error_text)
    status = 0
    if code.isdigit() and 400 <= int(code) < 600:  # the service's own numbers are those of HTTP
        status = int(code)
    raise refuse(page, now=time.time(), code=code, detail=envelope.error_text, status=status)


def _sees_no(what: str) -> str:
    return f"the token sees no {what}: give it those groups in Altcraft > Settings > Tokens"


def _profiles(context: Context) -> Iterable[Request]:
    for database in ids(context, "databases"):
        yield post("profiles/list", db_id=number(database), from_id="", limit=LIMIT)


def _subscriptions(context: Context) -> Iterable[Request]:
    for resource in ids(context, "resources"):
        yield post(
            "subscriptions/list_all",
            tags={"resource_id": resource},
            resource_id=number(resource),
            from_id="",
            limit=LIMIT,
        )


def _segment_counters(context: Context) -> Iterable[Request]:
    """One request for each segment and resource: how many profiles of the segment it has."""
    for segment in context.rows["segment_details"].iter_rows(named=True):
        database_parameters = _database_of(segment)
        for resource in ids(context, "resources"):
            yield post(
                "segments/get_counters",
                tags={"segment_id": segment["id"], "resource_id": resource},
                id=number(segment["id"]),
                resource_id=number(resource),
                **database_parameters,
            )


def _database_of(segment: Mapping[str, Any]) -> dict[str, int | str]:
    """Return the parameters that name a segment's database; none where the segment names none."""
    databases = [
        condition["list_id"] for condition in segment["segment"] or () if condition["list_id"]
    ]
    if not databases:
        return {}
    database = number(databases[0])
    # one text calls it db_id, another list_id
    return {"db_id": database, "list_id": database}


def _history(context: Context) -> Iterable[Request]:
    """One request for each database: the days that hold since..until whatever the account's time zone."""
    first_day = context.since.date() - dt.timedelta(days=1) if context.since else LONG_AGO
    last_day = (context.until or context.now).date() + dt.timedelta(days=2)
    for database in ids(context, "databases"):
        yield post(
            "subscribers/history_get_all",
            list_id=number(database),
            date_from=first_day.isoformat(),
            date_to=last_day.isoformat(),
            from_id="",
            limit=LIMIT,
        )


def _profile_schema(context: Context) -> Schema:
    """Return the documented fields, which come first and keep their names, and those that the account names."""
    own_fields = [
        custom_name
        for custom_name in views.custom_names(context)
        if custom_name not in fields.PROFILE
    ]
    return {**fields.PROFILE, **dict.fromkeys(own_fields, fields.PROFILE["email"])}


def _with_named_fields(resource: Resource, names: str) -> Resource:
    """Return the profiles without the question for their fields, where the account names them."""
    if resource.name != "profiles":
        return resource
    return replace(resource, needs_before_decode=())


# ---- facts ----------------------------------------------------------------------------------------


def _point_by(resource: Resource, name: str) -> Resource:
    """Return a list whose pages name the next one otherwise."""
    lacking = partial(pages.lacks_pointer, name=name)
    if resource.follow is pages.records:
        return replace(resource, follow=pages.records_by(name), lacking=lacking)
    if resource.follow is pages.history:
        return replace(resource, follow=pages.history_by(name), lacking=lacking)
    return resource


def _history_in_zone(resource: Resource, zone: str) -> Resource:
    """Return the history with its times read as those of a zone, whatever they say."""
    if resource.name != "history":
        return resource
    zoned_time = with_zone(pl.col("datetime").str.strip_suffix("Z"), zone)
    return replace(resource, computed={**resource.computed, "datetime": zoned_time})


_FACTS = (
    Fact(
        name="pointer",
        doc=f"what profiles, subscriptions and history name the next page by, in the place of {pages.POINTER!r}",
        type_=str,
        apply=_point_by,
        only_adds=True,
    ),
    page_size_fact(),
    time_zone_fact(profiles=("_createtime", "_regdate"), history=("datetime",)),
    Fact(
        name="history_zone",
        doc="the time zone (an IANA name) of the history's times, which say Z; without it they "
        "are UTC",
        type_=str,
        check=known_zone,
        apply=_history_in_zone,
    ),
)

PROVIDER = Provider(
    name="altcraft",
    title="Altcraft",
    base_url="https://{host}/api/v1.1",
    home="https://guides.altcraft.com/en/developer-guide/",
    fields=(
        Field(
            name="host",
            label="Host",
            secret=False,
            default="ru.altkraft.com",
            pattern=r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?",
            help="the cloud is ru.altkraft.com; an installation of your own has its own host name",
        ),
        Field(
            name="token",
            label="API token",
            help="Altcraft > Settings > Tokens (needs master rights)",
        ),
        Field(
            name="token_in",
            label="Token goes in",
            secret=False,
            default="header",
            pattern="header|body",
            help="header; body for old installations that answer 401 although the token is right",
        ),
        Field(
            name="custom_fields",
            label="Custom fields",
            secret=False,
            pattern="([^,]+(,[^,]+)*)?",
            help="optional: names of your profiles' own fields, joined by commas; without it the "
            "service is asked",
            apply=_with_named_fields,
        ),
        Field(
            name="profiles_by",
            label="Profiles by",
            secret=False,
            default="pages",
            pattern="pages|export",
            help="pages, or export for databases of many profiles: the service writes them into "
            "files, which takes few requests",
            apply=exported,
        ),
    ),
    sign=_sign,
    check=_check,
    limits=Limits(rate=5, burst=5, concurrency=5, scope="account", ceiling=20),
    ping=post("databases/list", from_id=1, limit=LIMIT),
    reached=count_and_names("database", "name"),
    ping_resource="databases",
    resources=(
        objects(
            "databases",
            "Databases of profiles that the token may see.",
            never_empty=_sees_no("database"),
        ),
        objects(
            "resources",
            "Resources: what addresses are subscribed to.",
            never_empty=_sees_no("resource"),
        ),
        objects("segments", "Segments by name; what is in them: segment_details."),
        Resource(
            name="segment_details",
            doc="Each segment with its size, one request each.",
            absent_is_empty=True,
            lacking=lacks_details("segment"),
            requests=for_each("segments/get", "segments"),
            needs_before_request=("segments",),
            schema=fields.SEGMENT,
            computed=views.SEGMENT_PARTS,
            views=views.SEGMENTS,
        ),
        Resource(
            name="segment_counters",
            doc="How many of each segment can be sent to, by channel (segments x resources "
            "requests).",
            absent_is_empty=True,
            lacking=lacks_counters("the size of a segment in a resource"),
            requests=_segment_counters,
            needs_before_request=("segment_details", "resources"),
            tags=("segment_id", "resource_id"),
            is_empty_answer=is_other_database,
            key=views.COUNTER_KEY,
            schema=fields.COUNTER,
            views=views.counters,
            view_tables=("segments",),
        ),
        objects(
            "campaigns",
            "Mailings, which the service calls campaigns.",
            fields.CAMPAIGN,
            views.CAMPAIGNS,
        ),
        Resource(
            name="profiles",
            doc="Profiles of every database (no time filter: always all).",
            absent_is_empty=True,
            requests=_profiles,
            nothing_to_ask=_sees_no("database"),
            needs_before_request=("databases",),
            needs_before_decode=("database_fields",),
            follow=pages.records,
            mentioned=pages.mentioned,
            lacking=pages.lacks_pointer,
            page_size=PAGE_SIZE,
            schema=_profile_schema,
            views=views.contacts,
            view_tables=("contacts",),
        ),
        Resource(
            name="subscriptions",
            doc="Subscribed addresses of every resource, with their state.",
            absent_is_empty=True,
            requests=_subscriptions,
            nothing_to_ask=_sees_no("resource"),
            needs_before_request=("resources",),
            follow=pages.records,
            mentioned=pages.mentioned,
            lacking=pages.lacks_pointer,
            page_size=PAGE_SIZE,
            tags=("resource_id",),
            key=views.SUBSCRIPTION_KEY,
            schema=fields.SUBSCRIPTION,
            views=views.SUBSCRIPTIONS,
            unknown_words=views.UNKNOWN_STATES,
        ),
        Resource(
            name="history",
            doc="What was sent to profiles and how they answered.",
            absent_is_empty=True,
            requests=_history,
            change_filter=_CHANGED,
            nothing_to_ask=_sees_no("database"),
            needs_before_request=("databases",),
            follow=pages.history,
            mentioned=pages.mentioned,
            lacking=pages.lacks_pointer,
            page_size=PageSize(name="limit", in_body=True, held=pages.units),
            key=views.EVENT_KEY,
            schema=fields.EVENT,
            computed=views.SUBSCRIPTION_PARTS,
            views=views.HISTORY,
            unknown_words=views.UNKNOWN_ACTIONS,
        ),
        *DETAILS,
    ),
    operations=loaded_from("crmlab.providers.altcraft.operations", "OPERATIONS"),
    targets=loaded_from("crmlab.providers.altcraft.targets", "TARGETS"),
    assumptions=(
        "no rate limit is documented: 5 requests a second to begin with, slowly more, up to 20, "
        "while none is refused; never more than 5 at once",
        "errors may come with HTTP 200: the answer's own error number decides",
        "the token is taken from the Authorization header (token_in=body for installations that "
        "do not)",
        "resources/list exists and answers as databases/list does",
        "profiles/list and subscribers/history_get_all name the next page in next_from_id, as "
        "subscriptions/list_all does; a list ends where it is absent, unchanged or leads to a "
        "second empty page; after a full last page more is asked for by its last time (history) "
        "or number (objects)",
        "where profiles, subscriptions or history say a total_count, as lists of objects do, or "
        "another total or count, it counts what the list holds",
        "null or nothing in the place of data is an empty list, where the answer's own error is 0",
        "a token that sees no database or no resource lacks their groups: nobody sends mailings "
        "without them",
        "a profile's id is unique among all databases of the account",
        "a history event without event_id is one of a kind by xxh, action, datetime, message_id "
        "and campaign_id; an event with a count above 1 is one row, and counts as many times",
        "profile id, xxh and address of a profile are marks of one person: an event with only one "
        "of them is of the profile that has it elsewhere",
        f"history may be asked from {LONG_AGO} to the day after tomorrow in one window",
        "the hash that a pointer into history begins with tells how far it is, and a page with "
        "more events than its limit is one of profiles: only the number of slices of time depends "
        "on it",
        "history times are UTC, as their Z says; the vendor's example carries an event_id made "
        "three hours earlier, so they may be the account's local time",
        f"these history actions are about consent: {', '.join(views.CONSENT_ACTIONS)}; one that is known neither as "
        "such nor as what happened to a mailing is shown among the consent events, decides nothing, and is named in a "
        "note of the fetch",
        "segments/get_counters takes the database as db_id and as list_id at once",
        "databases/fields_get takes the database as db_id and as id at once; it and "
        "resources/fields_get answer with a list of objects that have a name, of names, or with "
        "an object that holds each field under its name; where they do not, or the question is "
        "refused, name your profiles' own fields as custom_fields: others are reported as "
        "undocumented",
        "resources/get and resources/get_counters exist and answer as those of databases do; "
        "campaigns/broadcasts, campaigns/regulars and scampaigns are listed as campaigns are",
        "a campaign's log comes oldest first, and from_time includes its moment: a full page is "
        "followed from its last time on; where that is wrong, fewer lines come than are counted, "
        "and the log is told incomplete",
        *ASSUMPTIONS,
        "tasks cannot be listed: a task's state is the operation `task`, by its id",
    ),
    not_personal=fields.NOT_PERSONAL,
    probes=loaded_from("crmlab.providers.altcraft.probes", "PROBES"),
    facts=_FACTS,
    not_covered=(
        "scenarios, pixels: goals and imports into scenarios are calls that write",
        "the accounts of an installation (admin/accounts/list), which only an administrator's "
        "token may list: call it",
        "aggregated campaign statistics: the vendor's pages of them are not public; the history "
        "gives the same numbers",
    ),
)
