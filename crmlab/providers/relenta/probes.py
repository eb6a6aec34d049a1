"""What a few reads tell of Relenta, and how its lists are read where it does otherwise than assumed."""

from __future__ import annotations

from typing import Any

from crmlab.connector import (
    NOWHERE,
    Context,
    Page,
    Probe,
    Reads,
    Request,
    confirmed,
    has_fields,
    have_zone,
    honours_size,
    is_sorted,
    listed,
    refuted,
    stands_at,
    untold,
)
from crmlab.errors import ApiError

_CONTACTS = Request(path="/contact.list.json")
_PAGE_SIZE = 100
#: a page that no list of contacts reaches
_FAR = 1_000_000
_DOCUMENT = "the vendor's document, by its examples"


def _page(number: int) -> Request:
    return _CONTACTS.with_params(page=number, page_size=_PAGE_SIZE)


def _contacts(page: Page) -> list[dict[str, Any]]:
    return listed(page, "data")


def _ids(page: Page) -> set[str]:
    return {str(contact.get("id")) for contact in _contacts(page)}


def _first_page(context: Context) -> Reads:
    plain_list = yield _CONTACTS
    if not _contacts(plain_list):
        return untold("the account has no contacts")
    page_one = yield _page(1)
    # in whatever order a page gives its contacts, the first page has them in common with the list
    if _ids(page_one) & _ids(plain_list):
        return confirmed("page 1 holds what the list without parameters begins with")
    try:
        page_zero = yield _page(0)
    except ApiError as error:
        return untold(
            f"page 1 holds nothing of what the list begins with, and page 0 is refused: HTTP {error.status}"
        )
    if _ids(page_zero) & _ids(plain_list):
        return refuted(
            "page 0 holds what the list without parameters begins with, and page 1 does not",
            first_page=0,
        )
    return untold("neither page 1 nor page 0 holds what the list without parameters begins with")


def _stands_in_data(context: Context) -> Reads:
    page = yield _page(1)
    return stands_at(page, "data")


def _honours_page_size(context: Context) -> Reads:
    try:
        first_page = yield _page(1)
    except ApiError as error:
        return refuted(f"a page of {_PAGE_SIZE} is refused: HTTP {error.status}")
    second_page = yield _page(2)
    has_more = bool(_ids(second_page) - _ids(first_page))
    return honours_size(
        first_page, _contacts(first_page), _PAGE_SIZE, more=has_more, name="page_size"
    )


def _newest_first(context: Context) -> Reads:
    page = yield _page(1)
    numbers = []
    for contact in _contacts(page):
        written = str(contact.get("id"))
        if written.isdecimal():
            numbers.append(int(written))
    return is_sorted(numbers, descending=True)


def _ends_empty(context: Context) -> Reads:
    # where this is refused, the number of the other page is not to blame
    first_page = yield _page(1)
    if not _contacts(first_page):
        return untold("the account has no contacts")
    try:
        far_page = yield _page(_FAR)
    except ApiError as error:
        return refuted(f"page {_FAR:,} is refused: HTTP {error.status}")
    if not _contacts(far_page):
        return confirmed(f"page {_FAR:,} has none")
    return refuted(f"page {_FAR:,} holds {len(_contacts(far_page)):,} contacts")


def _times_have_zone(context: Context) -> Reads:
    page = yield _page(1)
    times = []
    for contact in _contacts(page):
        times += [contact.get("dt_created"), contact.get("dt_modified")]
    return have_zone(times)


def _addresses_are_joined(context: Context) -> Reads:
    page = yield _page(1)
    with_several = []
    joined = []
    for contact in _contacts(page):
        addresses = contact.get("emails")
        if str(addresses).count("@") > 1:
            with_several.append(addresses)
            if isinstance(addresses, str) and ";" in addresses:
                joined.append(addresses)
    if not with_several:
        return untold("no contact that was looked at has several addresses")
    if len(joined) == len(with_several):
        return confirmed(f"{len(with_several):,} looked at that have several addresses")
    return refuted(
        f"{len(with_several) - len(joined):,} of {len(with_several):,} that have several addresses have no ;"
    )


def _contact_fields(context: Context) -> Reads:
    page = yield _page(1)
    names = (("id",), ("full_name",), ("dt_modified",), ("emails",), ("do_not_mass_email",))
    return has_fields(_contacts(page), *names)


PROBES = (
    Probe(
        name="envelope",
        assumption="a list is what data holds",
        source=_DOCUMENT,
        if_wrong="the list is looked for under other usual names, and a note of the fetch says "
        "where it was",
        reads=_stands_in_data,
        max_requests=1,
    ),
    Probe(
        name="first_page",
        assumption="the first page of a list is number 1",
        source=NOWHERE,
        if_wrong="the newest contacts and activities stand on a page 0, which a fetch finds by "
        "the same comparison",
        reads=_first_page,
        max_requests=3,
        fact="first_page",
    ),
    Probe(
        name="page_size",
        assumption=f"a page may hold {_PAGE_SIZE} records",
        source=NOWHERE,
        if_wrong="lists are read in the pages that the service gives: in more requests, and "
        "nothing is lost",
        reads=_honours_page_size,
        max_requests=2,
        fact="page_size",
    ),
    Probe(
        name="order",
        assumption="lists begin with the newest id",
        source=_DOCUMENT,
        if_wrong="a contact that is made while a list is read may come on a page that was read "
        "already; lists of several pages are read until two readings agree",
        reads=_newest_first,
        max_requests=1,
    ),
    Probe(
        name="end",
        assumption="a page past the end of a list is empty",
        source=NOWHERE,
        if_wrong="a list ends where a page brings nothing new or is refused: one of just these "
        "contacts is told incomplete if the service gives others for ever",
        reads=_ends_empty,
        max_requests=2,
    ),
    Probe(
        name="time_zone",
        assumption="times say their zone",
        source=_DOCUMENT,
        if_wrong="times without a zone are misfits: name the zone that they are of, such as "
        'facts={"time_zone": "America/New_York"}',
        reads=_times_have_zone,
        max_requests=1,
        fact="time_zone",
    ),
    Probe(
        name="emails",
        assumption="several addresses of a contact are joined by ;",
        source=NOWHERE,
        if_wrong="the addresses of such a contact are read as one, and join with no other "
        "service's",
        reads=_addresses_are_joined,
        max_requests=1,
    ),
    Probe(
        name="contact",
        assumption="a contact has id, full_name, dt_modified, emails and do_not_mass_email",
        source="the vendor's document, by its examples; its table spells the last do_no_mass_email",
        if_wrong="do_no_mass_email is read as well; what stands under any other name is in no "
        "column",
        reads=_contact_fields,
        max_requests=1,
    ),
)


# ---- facts ----------------------------------------------------------------------------------------
