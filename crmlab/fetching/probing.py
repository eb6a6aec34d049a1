"""Whether what is assumed of a service is true of an account, asked with a few reads that change nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from crmlab.accounts import Account
from crmlab.connector import (
    VERDICTS,
    Context,
    Finding,
    Limits,
    Page,
    Probe,
    Request,
    Timeouts,
    Verdict,
    untold,
)
from crmlab.display import DisplayMixin, Overview, plural
from crmlab.errors import ApiError, CrmlabError, RateLimitError, TransportError
from crmlab.fetching.crawl import side_by_side
from crmlab.fetching.faults import FAULTS, internal_error
from crmlab.fetching.query import chosen_accounts, clock

if TYPE_CHECKING:
    from crmlab.http.client import Client

_COLUMNS = ("account", "provider", "probe", "assumption", "source", "verdict", "found", "meaning")
FINDINGS = pl.Schema(
    [(name, pl.Enum(VERDICTS) if name == "verdict" else pl.String()) for name in _COLUMNS]
)
#: what is shown first
_BY_WEIGHT: tuple[Verdict, ...] = ("refuted", "cannot be told", "confirmed")
_HEADINGS: Mapping[Verdict, str] = {
    "refuted": "Refuted: this account's service does otherwise",
    "cannot be told": "Cannot be told",
    "confirmed": "Confirmed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What one probe found of one account."""

    account: str
    provider: str
    probe: Probe
    finding: Finding
    #: of the facts found, those that the account reads by from now on
    adopted: Mapping[str, Any] = field(default_factory=dict)
    #: those that it was given already
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def meaning(self) -> str:
        """What it means for who reads the account; "" where all is as assumed."""
        if self.finding.verdict != "refuted":
            return ""
        known_facts = {**self.adopted, **self.given}
        by_hand: dict[str, Any] = {}
        for fact_name, fact_value in self.finding.facts.items():
            if known_facts.get(fact_name) != fact_value:
                by_hand[fact_name] = fact_value
        sentences = [self.probe.if_wrong]
        if self.adopted:
            sentences.append(f"adopted: {_facts(self.adopted)}")
        if self.given:
            sentences.append(f"given: {_facts(self.given)}")
        if by_hand:
            sentences.append(f"to read it so: Account({self.provider!r}, facts={by_hand!r})")
        return "; ".join(sentences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed(DisplayMixin):
    """What `crmlab.probe` found: each assumption confirmed, refuted, or not to be told, and what that means.

    Attributes
    ----------
    results : tuple of ProbeResult
        One for each account and probe.
    requests : int
        How many requests were sent.
    """

    results: tuple[ProbeResult, ...]
    requests: int

    def frame(self) -> pl.DataFrame:
        """Return a row for each account and probe.

        Columns: account, provider, probe, assumption, source (where it is from), verdict ("confirmed", "refuted",
        "cannot be told"), found, meaning (for who reads the account; "" where all is as assumed).
        """
        finding_rows = []
        for result in self.results:
            finding_rows.append(
                {
                    "account": result.account,
                    "provider": result.provider,
                    "probe": result.probe.name,
                    "assumption": result.probe.assumption,
                    "source": result.probe.source,
                    "verdict": result.finding.verdict,
                    "found": result.finding.found,
                    "meaning": result.meaning,
                }
            )
        return pl.DataFrame(finding_rows, schema=FINDINGS, orient="row")

    def count(self, verdict: Verdict) -> int:
        """Return how many have this verdict."""
        return sum(result.finding.verdict == verdict for result in self.results)

    @property
    def facts(self) -> dict[str, dict[str, Any]]:
        """What to give an account to be read as its service is: facts by the account's name."""
        found_facts: dict[str, dict[str, Any]] = {}
        for result in self.results:
            if result.finding.facts:
                found_facts.setdefault(result.account, {}).update(result.finding.facts)
        return found_facts

    def text(self) -> str:
        """Return what it shows, as lines of text: refuted assumptions first."""
        return self._overview().text()

    def __str__(self) -> str:
        counted = ", ".join(f"{self.count(verdict)} {_in_words(verdict)}" for verdict in VERDICTS)
        return f"{plural(len(self.results), 'assumption')}: {counted}; {plural(self.requests, 'request')} sent"

    def __repr__(self) -> str:
        return f"<Probed: {self}>"

    def _overview(self) -> Overview:
        tables = [(_HEADINGS[verdict], self._shown(verdict)) for verdict in _BY_WEIGHT]
        return Overview(
            title="Probed",
            words=f"{self}. Nothing was changed at a service.",
            good=not self.count("refuted"),
            tables=tables,
        )

    def _shown(self, verdict: Verdict) -> pl.DataFrame:
        """Return the columns that say something of findings of one verdict."""
        frame = self.frame().filter(pl.col("verdict") == verdict)
        columns = ["account", "probe", "assumption", "found"]
        if verdict == "refuted":
            columns += ["meaning", "source"]
        return frame.select(columns)


def _in_words(verdict: Verdict) -> str:
    return "that cannot be told" if verdict == "cannot be told" else verdict


def _facts(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{fact_name}={fact_value!r}" for fact_name, fact_value in values.items())


async def probe(
    accounts: Account | Iterable[Account],
    *,
    limits: Limits | None = None,
    timeouts: Timeouts | None = None,
) -> Probed:
    """Test what is assumed of each account's service with a few reads, and return what was found.

    Each service says which of its assumptions can be tested so, and with how many requests at most
    (`max_requests`); they keep within its limit, change nothing, and the answers are kept nowhere. What was found and
    can but add rows, such as a page 0, is used by the next fetches of these accounts, whose summary says so. All
    else is given by hand, as the result says: ``Account(..., facts={...})``.

    Parameters
    ----------
    accounts
        One or more.
    limits, timeouts
        As of `fetch`.

    Raises
    ------
    UsageError
        no accounts, or two with one name
    CrmlabError
        a key is refused or a service cannot be reached: then nothing can be told of it

    Examples
    --------
    >>> import crmlab
    >>> async with crmlab.sandbox(rows=50, services=["onepagecrm"]) as accounts:
    ...     found = await crmlab.probe(accounts)
    >>> found.frame().filter(verdict="refuted").height
    0
    """
    from crmlab.http.client import Client  # noqa: PLC0415  # aiohttp is loaded when something is sent

    chosen = chosen_accounts(accounts)
    async with Client(limits, timeouts) as client:
        client.share_limits(chosen)
        probings = [_AccountProbing(client, account) for account in chosen]
        await side_by_side(probing.finish() for probing in probings)
    results: list[ProbeResult] = []
    requests = 0
    for probing in probings:
        results += probing.results
        requests += probing.requests
    return Probed(results=tuple(results), requests=requests)


def max_requests(account: Account) -> int:
    """Return how many requests `probe` sends of that account at most; tries again after a refusal apart."""
    return sum(own_probe.max_requests for own_probe in account.provider.probes())


def _shared(found: Iterable[str], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return of these facts those that are known by the same name, as they are known."""
    return {fact_name: known[fact_name] for fact_name in found if fact_name in known}


class _AccountProbing:
    """The probes of one account, one after the other; `results` are what they found, `requests` how many were sent."""

    def __init__(self, client: Client, account: Account) -> None:
        self.results: list[ProbeResult] = []
        self.requests = 0
        self._client = client
        self._account = account
        #: what each request was answered with, or refused with, by `Request.key`: two probes may ask the same
        self._answers: dict[str, Page | CrmlabError] = {}

    async def finish(self) -> None:
        """Let every probe ask and judge, then adopt what can but add rows."""
        account = self._account
        context = Context(now=clock(), options=account.options, facts=account.known_facts)
        probes = account.provider.probes()
        # adopted when all are found: what is adopted changes the provider, whose assumptions are asked about
        findings = [await self._finding(own_probe, context) for own_probe in probes]
        for own_probe, finding in zip(probes, findings, strict=True):
            account.adopt(finding.facts)
            result = ProbeResult(
                account=account.name,
                provider=account.provider.name,
                probe=own_probe,
                finding=finding,
                adopted=_shared(finding.facts, account.adopted),
                given=_shared({*finding.facts, own_probe.fact}, account.facts),
            )
            self.results.append(result)

    async def _finding(self, each: Probe, context: Context) -> Finding:
        try:
            return await self._judged(each, context)
        except ApiError as error:
            if error.of_account:
                raise self._account.explain(error) from None
            return untold(f"the service refuses the question: {error.what}")
        except TransportError as error:
            if error.of_account:
                raise self._account.explain(error) from None
            return untold(error.what)
        except FAULTS as fault:
            return untold(internal_error(fault).what)

    async def _judged(self, each: Probe, context: Context) -> Finding:
        """Lead the probe from answer to answer to its finding."""
        reads = each.reads(context)
        try:
            request = next(reads)
            while True:
                answer = await self._answer(request)
                request = reads.send(answer) if isinstance(answer, Page) else reads.throw(answer)
        except StopIteration as end:
            finding: Finding = end.value
            return finding

    async def _answer(self, request: Request) -> Page | CrmlabError:
        if request.key not in self._answers:
            self._answers[request.key] = await self._sent(request)
        return self._answers[request.key]

    async def _sent(self, request: Request) -> Page | CrmlabError:
        """Return what a request was answered or refused with; one that came too fast is sent once more in its turn."""
        with suppress(RateLimitError):
            return await self._once(request)
        try:
            return await self._once(request)
        except RateLimitError as error:
            return error

    async def _once(self, request: Request) -> Page | CrmlabError:
        self.requests += 1
        try:
            return await self._client.send(self._account, request, again="never")
        except RateLimitError:
            raise
        except CrmlabError as error:
            if error.of_account:
                raise
            return error
