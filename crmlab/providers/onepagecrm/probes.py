"""What a few reads tell of OnePageCRM."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

from crmlab.connector import (
    NOWHERE,
    Context,
    Page,
    Probe,
    Reads,
    Request,
    confirmed,
    have_zone,
    honours_size,
    is_sorted,
    listed,
    member,
    refuted,
    stands_at,
    unix_seconds,
    untold,
    whole_number,
)
from crmlab.errors import ApiError
from crmlab.providers.onepagecrm.pages import WALL

_PER_PAGE = 100
_DOCUMENT = "the vendor's OpenAPI document"
_MINE = Request(path="/contacts", params={"sort_by": "created_at", "order": "asc"})
_OURS = _MINE.with_params(team="true")
#: the list as it begins, whatever the number of its first page
_FIRST = _OURS.with_params(per_page=_PER_PAGE)


def _contacts(page: Page) -> list[dict[str, Any]]:
    return listed(page, "data", "contacts", unwrap="contact")


def _total(page: Page) -> int | None:
    return whole_number(member(page, "data", "total_count"))


def _ids(page: Page) -> set[str]:
    return _ids_of(_contacts(page))


def _ids_of(contacts: Iterable[dict[str, Any]]) -> set[str]:
    return {str(contact.get("id")) for contact in contacts}


def _stands_in_contacts(context: Context) -> Reads:
    page = yield _FIRST
    return stands_at(page, "data", "contacts")


def _first_page(context: Context) -> Reads:
    plain_list = yield _FIRST
    if not _contacts(plain_list):
        return untold("the account has no contacts")
    number = yield from _number_of(plain_list)
    if number == 1:
        return confirmed("page 1 holds what the list without a page does")
    if number == 0:
        return refuted(
            "page 0 holds what the list without a page does, and page 1 does not", first_page=0
        )
    return untold("neither page 1 nor page 0 holds what the list without a page does")


def _number_of(first: Page) -> Generator[Request, Page, int | None]:
    """Return the number of the page that a list without one begins with; None where it cannot be told."""
    for number in (1, 0):
        contacts = yield from _records(_FIRST.with_params(page=number))
        if _ids_of(contacts) & _ids(first):
            return number
    return None


def _honours_per_page(context: Context) -> Reads:
    try:
        page = yield _FIRST
    except ApiError as error:
        return refuted(f"a page of {_PER_PAGE} is refused: HTTP {error.status}")
    total = _total(page)
    contacts = _contacts(page)
    has_more = None
    if total is not None:
        has_more = total > len(contacts)
    return honours_size(page, contacts, _PER_PAGE, more=has_more, name="per_page")


def _team_brings_all(context: Context) -> Reads:
    ours = yield _FIRST
    mine = yield _MINE.with_params(per_page=1)
    of_team = _total(ours)
    of_user = _total(mine)
    if of_team is None or of_user is None:
        return untold("the answer counts nothing")
    if of_team > of_user:
        return confirmed(f"{of_user:,} contacts without team=true, {of_team:,} with it")
    # as many: there may be nobody else whose contacts could come
    bootstrap = yield Request(path="/bootstrap")
    team = member(bootstrap, "data", "team")
    if not team or not of_team:
        return untold("the account has one user only, or no contacts")
    return refuted(
        f"{of_user:,} contacts without team=true and {of_team:,} with it, though the account has several users"
    )


def _is_in_order(context: Context) -> Reads:
    page = yield _FIRST
    return is_sorted((contact.get("created_at") for contact in _contacts(page)), descending=False)


def _total_is_true(context: Context) -> Reads:
    plain_list = yield _FIRST
    total = _total(plain_list)
    records_on_page = len(_contacts(plain_list))
    if not total or not records_on_page:
        return untold("the account has no contacts, or the answer counts none")
    if total > WALL:
        return untold(f"page numbers do not reach the last of {total:,} contacts")
    first_number = yield from _number_of(plain_list)
    if first_number is None:
        return untold("it is not known which number the first page has")
    last_number = first_number + -(-total // records_on_page) - 1
    last_contacts = yield from _records(_FIRST.with_params(page=last_number))
    contacts_beyond = yield from _records(_FIRST.with_params(page=last_number + 1))
    # a service that has no such page may answer with its last one once more
    last_ids = _ids_of(last_contacts)
    further = [contact for contact in contacts_beyond if str(contact.get("id")) not in last_ids]
    on_pages = (last_number - first_number) * records_on_page + len(last_contacts) + len(further)
    if on_pages == total:
        return confirmed(f"{total:,} are counted, and the last page ends with that one")
    return refuted(f"{total:,} are counted, and the pages hold {on_pages:,}")


def _records(request: Request) -> Generator[Request, Page, list[dict[str, Any]]]:
    """Ask, and return the contacts that came; none where the page is refused."""
    try:
        page = yield request
    except ApiError:
        return []
    return _contacts(page)


def _edges_belong(context: Context) -> Reads:
    plain_list = yield _FIRST
    change_times: list[int] = []
    later_changes: list[int] = []
    for contact in _contacts(plain_list):
        changed_at = unix_seconds(contact.get("modified_at"))
        if changed_at is None:
            continue
        change_times.append(changed_at)
        if changed_at != unix_seconds(contact.get("created_at")):
            later_changes.append(changed_at)
    if not change_times:
        return untold("no contact that was looked at has a time of its last change")
    # one that was changed after its creation tells by which of the two the service chooses
    candidates = later_changes or change_times
    middle = candidates[len(candidates) // 2]
    at_edge = yield _FIRST.with_params(modified_since=middle, unmodified_since=middle, per_page=10)
    came_at_edge = {unix_seconds(contact.get("modified_at")) for contact in _contacts(at_edge)}
    if came_at_edge - {middle, None}:
        return refuted(
            "contacts come that were changed at other times: the period is not looked at"
        )
    if came_at_edge:
        return confirmed("a contact that was changed in the second that both name comes")
    around_edge = yield _FIRST.with_params(
        modified_since=middle - 1, unmodified_since=middle + 1, per_page=10
    )
    if not _contacts(around_edge):
        return refuted(
            "a contact does not come by the time of its change: the service may choose by another "
            "time"
        )
    return refuted("a contact that was changed in the second that both name does not come")


def _deals_are_inside(context: Context) -> Reads:
    page = yield _FIRST.with_params(fields="deals(all)")
    items = listed(page, "data", "contacts")
    if not items:
        return untold("the account has no contacts")
    holding = [contact for contact in items if "deals" in contact]
    if holding:
        return confirmed(f"{len(holding):,} of {len(items):,} contacts come with their deals")
    return refuted(f"none of {len(items):,} contacts comes with deals")


def _cascade_takes_team(context: Context) -> Reads:
    plain_list = yield _FIRST
    batch = yield Request(path="/contacts/cascade", params={"team": "true"})
    if len(_owners(plain_list)) < 2:
        return untold("all contacts that were looked at are of one user")
    if len(_owners(batch)) > 1:
        return confirmed(f"its first contacts are of {len(_owners(batch)):,} users")
    if not _contacts(batch):
        return untold("it has no contacts")
    return refuted(
        f"its first {len(_contacts(batch)):,} contacts are of one user, those of the list of several"
    )


def _owners(page: Page) -> set[str]:
    owners = (contact.get("owner_id") for contact in _contacts(page))
    return {str(owner_id) for owner_id in owners if owner_id}


def _ignores_unknown(context: Context) -> Reads:
    plain_list = yield _FIRST
    try:
        with_unknown = yield _FIRST.with_params(documented_nowhere=1)
    except ApiError as error:
        return refuted(f"a parameter that is documented nowhere is refused: HTTP {error.status}")
    if _ids(with_unknown) == _ids(plain_list):
        return confirmed("a parameter that is documented nowhere changes nothing")
    return refuted("a parameter that is documented nowhere changes what comes")


def _times_have_zone(context: Context) -> Reads:
    page = yield _FIRST
    times = []
    for contact in _contacts(page):
        times += [contact.get("created_at"), contact.get("modified_at")]
    return have_zone(times)


PROBES = (
    Probe(
        name="envelope",
        assumption="contacts are what data.contacts holds",
        source=_DOCUMENT,
        if_wrong="the list is looked for under other usual names, and a note of the fetch says "
        "where it was",
        reads=_stands_in_contacts,
        max_requests=1,
    ),
    Probe(
        name="first_page",
        assumption="the first page of a list is number 1",
        source=_DOCUMENT,
        if_wrong="the first records of every list are missing, and the list is told incomplete "
        "where it is counted",
        reads=_first_page,
        max_requests=3,
        fact="first_page",
    ),
    Probe(
        name="page_size",
        assumption=f"a page may hold {_PER_PAGE} records",
        source=_DOCUMENT,
        if_wrong="lists are read in the pages that the service gives: in more requests, and "
        "nothing is lost",
        reads=_honours_per_page,
        max_requests=1,
        fact="page_size",
    ),
    Probe(
        name="team",
        assumption="contacts are those of the signed-in user, and with team=true those of all "
        "users",
        source=_DOCUMENT,
        if_wrong="contacts may be those of one user only: compare their number with what the "
        "service shows",
        reads=_team_brings_all,
        max_requests=3,
    ),
    Probe(
        name="order",
        assumption="sort_by and order are looked at",
        source=_DOCUMENT,
        if_wrong="a record that is made while a list is read may come on a page that was read "
        "already; the list is told incomplete where its count says so",
        reads=_is_in_order,
        max_requests=1,
    ),
    Probe(
        name="count",
        assumption="total_count counts what a list gives",
        source=_DOCUMENT,
        if_wrong="a list that came whole is told incomplete, or one that did not is told whole",
        reads=_total_is_true,
        max_requests=5,
    ),
    Probe(
        name="edges",
        assumption="modified_since and unmodified_since choose what was changed between, with the "
        "seconds they name",
        source=f"{_DOCUMENT}; whether the seconds belong to it is {NOWHERE}",
        if_wrong="what was changed in the very second of since is missing from a fetch: name a "
        "second earlier; a period that is not looked at costs requests, and what is too much is "
        "left out; where the service chooses by another time, fetches with since and refreshes "
        "miss changes: fetch without since",
        reads=_edges_belong,
        max_requests=3,
    ),
    Probe(
        name="embedding",
        assumption="fields=deals(all) brings the deals of contacts with them",
        source=_DOCUMENT,
        if_wrong="deals, notes, calls and meetings are read from their own lists: more requests, "
        "and nothing is lost",
        reads=_deals_are_inside,
        max_requests=1,
    ),
    Probe(
        name="cascade",
        assumption="the cascade takes team=true as the list does",
        source=NOWHERE,
        if_wrong="where more than 10,000 contacts were made in one second, those of other users "
        "are missing",
        reads=_cascade_takes_team,
        max_requests=2,
    ),
    Probe(
        name="unknown_parameters",
        assumption="a parameter that a list does not know is ignored",
        source=NOWHERE,
        if_wrong="a list that is asked for an order or a period which it does not take is "
        "refused, and its failure says so",
        reads=_ignores_unknown,
        max_requests=2,
    ),
    Probe(
        name="time_zone",
        assumption="times say their zone",
        source=_DOCUMENT,
        if_wrong="times without a zone are read as UTC, in which the document has all times: "
        'where they are of another one, name it, such as facts={"time_zone": "Europe/Dublin"}',
        reads=_times_have_zone,
        max_requests=1,
        fact="time_zone",
    ),
)
