"""Commanders Act Platform API v2: sources, destinations, deliveries, consent statistics.

JSON:API under one site id. Sources: the vendor's OpenAPI document (July 2025) and its public
platform documentation. Limits: 30 requests a second and 30 connections of each token.
"""

from __future__ import annotations

from functools import partial

import polars as pl

from crmlab.connector import Field, Limits, Provider, Request, count_and_names, get, loaded_from
from crmlab.providers.commanders_act import asking, fields, statistics, trends, views
from crmlab.providers.commanders_act.answers import check, sign
from crmlab.providers.commanders_act.lists import listed
from crmlab.providers.commanders_act.measured import MEASURED
from crmlab.providers.commanders_act.objects import OBJECTS
from crmlab.providers.commanders_act.windows import (
    COUNTED,
    DAYS,
    DELIVERED,
    LOGGED,
    as_kept,
    by_default,
    reached_as_kept,
    reached_by_default,
)

PROVIDER = Provider(
    name="commanders_act",
    title="Commanders Act",
    base_url="https://api.commander1.com/v2/{site_id}",
    home="https://doc.commandersact.com/developers/platform-api",
    fields=(
        Field(
            name="site_id",
            label="Site ID",
            secret=False,
            pattern="[0-9]+",
            help="the number of your site, in the address of every page of the platform",
        ),
        Field(name="token", label="API token", help="from your Commanders Act account manager"),
        Field(
            name="segment_ids",
            label="Segment IDs",
            secret=False,
            pattern=r"([0-9]+(\s*,\s*[0-9]+)*)?",
            help="optional: numbers of the segments to count, joined by commas (the API cannot "
            "list them)",
        ),
        Field(
            name="devices",
            label="Consent by device",
            secret=False,
            default="no",
            pattern="yes|no",
            help="yes: banner statistics apart for desktop, mobile, tablet and others, in four "
            "times as many requests",
        ),
        Field(
            name="locations",
            label="Consent by location",
            secret=False,
            default="no",
            pattern="yes|no",
            help="yes: banner statistics apart for visitors inside and outside the EU, in twice "
            "as many requests",
        ),
    ),
    sign=sign,
    check=check,
    limits=Limits(rate=30, burst=30, concurrency=30, scope="account"),
    ping=Request(path="/sources"),
    reached=count_and_names("source", "attributes", "label"),
    ping_resource="sources",
    resources=(
        listed(
            "sources",
            "Sources with their health, without their parameters (which may hold secrets).",
            requests=get("/sources", include="connector,environment,health"),
            schema=fields.INTEGRATION,
            never_kept=fields.NEVER_KEPT_OF_INTEGRATIONS,
            views=partial(views.integrations, direction="source"),
            view_tables=("integrations",),
            needs_before_decode=("source_catalog",),
        ),
        listed(
            "destinations",
            "Destinations with their health, without their parameters (which may hold secrets of "
            "partners).",
            requests=get("/destinations", include="connector,environment,health"),
            schema=fields.INTEGRATION,
            never_kept=fields.NEVER_KEPT_OF_INTEGRATIONS,
            views=partial(views.integrations, direction="destination"),
            view_tables=("integrations",),
            needs_before_decode=("destination_catalog",),
        ),
        listed(
            "delivery_trends",
            f"Deliveries of each destination, by the hour up to a day, else by the day; kept {DAYS} days.",
            requests=asking.delivery("trends"),
            change_filter=DELIVERED,
            note=as_kept,
            reached=reached_as_kept,
            needs_before_request=("destinations",),
            remark=trends.further_columns,
            tags=("integration_id",),
            key=pl.col("_integration_id"),
            schema=fields.TREND,
            views=views.DELIVERIES,
        ),
        listed(
            "privacy_statistics",
            "Consent banners, a request for each day of since..until (and device with devices=yes, location with "
            "locations=yes); "
            f"the last {DAYS} days without since.",
            requests=asking.statistics,
            change_filter=COUNTED,
            note=by_default,
            reached=reached_by_default,
            tags=("day", "device", "location"),
            restate=statistics.as_documented,
            key=views.STATISTICS_KEY,
            schema=fields.STATISTIC,
            inside_json={"attributes": fields.COUNTERS},
            views=views.STATISTICS,
        ),
        listed(
            "segments_statistics",
            f"Sizes per day of the segments named in segment_ids; the last {DAYS} days without since.",
            requests=asking.segments,
            change_filter=COUNTED,
            note=lambda context: (
                by_default(context)
                if context.options.get("segment_ids")
                else "no segment_ids given"
            ),
            reached=reached_by_default,
            tags=("segment_id",),
            key=pl.format("{}/{}", pl.col("_segment_id"), pl.col("id")),
            schema=fields.SEGMENT,
            views=views.segments,
            view_tables=("segments",),
        ),
        listed(
            "users",
            "Users of the site.",
            requests=get("/users"),
            schema=fields.USER,
            views=views.USERS,
        ),
        listed(
            "activity_logs",
            "Who changed what (needs the right to see the modification history).",
            requests=asking.logs,
            change_filter=LOGGED,
            schema=fields.LOG,
            never_kept=fields.NEVER_KEPT_OF_LOGS,
            views=views.LOGS,
        ),
        *OBJECTS,
        *MEASURED,
    ),
    operations=loaded_from("crmlab.providers.commanders_act.operations", "OPERATIONS"),
    assumptions=(
        "lists come whole; where an answer holds meta.pagination or links.next, it is followed, "
        "the link by what it asks for and not to its host; where it tells of pages, and neither "
        "of a total nor of a link, one page more is asked for than it tells",
        "GET /users, which the vendor shows as its example of a request, answers a JSON:API list "
        "of firstname, lastname, email and type",
        "an integration's id is unique among sources and destinations",
        f"statistics are asked for the last {DAYS} days where since is not given, today included",
        "days of the consent statistics and of deliveries begin where the site's time zone says, "
        "not at midnight UTC: a delivery day that begins before since is left out",
        "the segment ids of the statistics (numbers) cannot be looked up: other parts of the "
        "platform name segments by letters and digits",
        "a count that an answer leaves out is unknown, not 0",
        "the first row of delivery trends names their columns, in whatever order; a column that "
        "it does not name is told as values that could not be read",
        "errors beside data mean that the data are not all: they are kept, and the list is told "
        "incomplete",
        "filter[created] of the activity log includes both days, whatever their time zone",
        "lists of reports and enrichments, whose pages have numbers and no count, are read until "
        "a page brings nothing new; the data of a report take page[number] and page[size], which "
        "their links have",
        "catalogues, categories, event types and redirect rules, described as one object, are "
        "lists, as their titles say",
    ),
    not_personal=fields.NOT_PERSONAL,
    probes=loaded_from("crmlab.providers.commanders_act.probes", "PROBES"),
    not_covered=(
        "what deliveries held and partners answered, parameters, and what is sent to partners: "
        "they may hold persons and keys",
        "the APIs beside it with other keys: conversions, consent of a single visitor, event "
        "collection",
    ),
)
