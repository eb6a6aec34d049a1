"""One run: accounts are placed on workers and read there, and what becomes of each is brought back."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import CancelledError as FutureCancelled
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import crmlab.cluster.worker as at_worker
from crmlab.accounts import Account, packed
from crmlab.cluster.connection import Cluster, cancelled, connected, library, scheduler_gone
from crmlab.cluster.placement import MAX_ATTEMPTS, Job, Placement, Seat
from crmlab.cluster.sealed import Sealed
from crmlab.cluster.worker import Failed, Report, Work
from crmlab.connector import Limits
from crmlab.errors import CrmlabError, UsageError
from crmlab.fetching import Listener, listening
from crmlab.http import scope_of

if TYPE_CHECKING:
    from distributed import Client, Future

#: seconds between two looks at the workers
_BEAT = 0.25
#: seconds in which a beat finds out that a worker is gone
_SILENT = 5.0
#: seconds without any worker before that is an error: one that died takes some to be there again
_NO_WORKER = 60.0


@dataclass(slots=True)
class Outcomes:
    """What became of the accounts, by their labels.

    `begun` has what the work returned. `lost` were begun `MAX_ATTEMPTS` times, and their worker died each time.
    """

    begun: dict[str, Any] = field(default_factory=dict)
    not_begun: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


async def each_account(
    cluster: Cluster,
    work: Work,
    accounts: Sequence[Account],
    details: Sequence[Any],
    *,
    limits: Limits | None,
    seconds: float | None,
    progress: Listener | bool | None,
    stop: asyncio.Event | None,
) -> Outcomes:
    """Do some work with each account, on the workers of a cluster, one task for each.

    An account is worked on by one worker at a time, and accounts that a vendor counts together by the address they
    come from by one worker of each machine. What a worker that died has begun is begun again by another one.

    Parameters
    ----------
    work
        What is done there; it travels as a pickle, and may hold secrets.
    details
        What it is given for each account.
    limits
        As of `crmlab.fetch`: instead of the accounts' own.
    seconds
        After which no more is begun; what is at work is told how many are left.
    progress, stop
        As of `crmlab.fetch`. After a stop no more is begun, and what is at work comes to an end.

    Raises
    ------
    UsageError
        There is no such cluster, its workers lack crmlab or have another version of it, or the work raised one.
    CrmlabError
        The work raised one, or the scheduler or all workers are gone.
    """
    stop = stop or asyncio.Event()
    with listening(progress, stop) as listener:
        async with connected(cluster) as client:
            run = _Run(
                client, work, accounts, details, limits=limits, seconds=seconds, listener=listener
            )
            return await run.finish(stop)


class _Run:
    """The accounts of one call, and where each of them is."""

    def __init__(
        self,
        client: Client,
        work: Work,
        accounts: Sequence[Account],
        details: Sequence[Any],
        *,
        limits: Limits | None,
        seconds: float | None,
        listener: Listener | None,
    ) -> None:
        self._client = client
        assert client.scheduler  # it is connected
        self._address = str(client.scheduler.address)
        self._id = secrets.token_hex(6)
        self._work = Sealed.of(work)
        self._listener = listener
        self._ends_at = None if seconds is None else time.monotonic() + seconds
        self._contents: dict[Job, tuple[bytes, Any]] = {}
        for account, detail in zip(accounts, details, strict=True):
            held = limits or account.limits
            job = Job(self._name(account), account.label, scope_of(account, held), held)
            self._contents[job] = (packed(account), detail)
        self._placement = Placement(self._contents)
        self._outcomes = Outcomes()
        #: of each account that is at work, what waits for its end
        self._waiting: dict[Job, asyncio.Task[None]] = {}
        self._ready: set[str] = set()
        self._process_of: dict[str, str] = {}
        #: what is read has to come to an end
        self._is_stopped = False
        self._begins_no_more = False
        self._workers_seen_at = time.monotonic()
        #: there is something to place, or all is over
        self._changed = asyncio.Event()

    def _name(self, account: Account) -> str:
        """Return what tasks name an account by: it tells nobody which one it is."""
        told = f"{account.provider.name}/{account.name}".encode()
        return blake2b(told, digest_size=6, key=self._id.encode()).hexdigest()

    async def finish(self, stop: asyncio.Event) -> Outcomes:
        """Have all accounts read, or until told to stop; after an error nothing is left at work."""
        stopping = asyncio.ensure_future(self._stop_when(stop))
        beating = asyncio.ensure_future(self._beat_on())
        try:
            with scheduler_gone(self._address):
                await self._place_all(beating)
        finally:
            await cancelled(stopping)
            await cancelled(beating)
            await cancelled(*self._waiting.values())
            await self._end()
        self._outcomes.not_begun = self._without_outcome()
        return self._outcomes

    def _without_outcome(self) -> list[str]:
        """Return every account of which nothing was brought back, however that came to be."""
        told = {*self._outcomes.begun, *self._outcomes.lost}
        return [job.label for job in self._contents if job.label not in told]

    async def _place_all(self, beating: asyncio.Task[None]) -> None:
        await self._beat()
        while self._waiting or (self._placement.waiting and not self._begins_no_more):
            if not self._begins_no_more:
                for job, address in self._placement.place(time.monotonic()):
                    self._waiting[job] = asyncio.ensure_future(self._read(job, address))
            changed = asyncio.ensure_future(self._changed.wait())
            ended = (beating, *self._waiting.values())
            await asyncio.wait([changed, *ended], return_when=asyncio.FIRST_COMPLETED)
            await cancelled(changed)
            self._changed.clear()
            if beating.done():
                beating.result()  # raises what went wrong with the cluster
            for job, task in [*self._waiting.items()]:
                if task.done():
                    del self._waiting[job]
                    task.result()

    async def _read(self, job: Job, address: str) -> None:
        """Have one account read by a worker."""
        is_repeated = job.attempt > 1
        future: Future[Any] | None = None
        try:
            await self._make_ready(address)
            brought = Sealed.of((self._contents[job], self._seconds_left()))
            await self._call(at_worker.bring, self._id, job.name, brought, address=address)
            future = self._client.submit(
                at_worker.account,
                self._id,
                job.name,
                is_repeated=is_repeated,
                key=f"account-{job.name}-{job.attempt}",
                workers=[address],
                allow_other_workers=False,
                pure=False,
            )
            outcome = await future.result()
        except asyncio.CancelledError:
            if future:
                await asyncio.shield(future.cancel())  # type: ignore[no-untyped-call]
            raise
        except (OSError, FutureCancelled, library().KilledWorker):
            # the worker is gone, and a beat finds out and ends this; or only this account is, and waits again
            await asyncio.sleep(_SILENT)
            self._placement.give_back(job, time.monotonic())
            self._note_lost(job)
            return
        if isinstance(outcome, Failed):
            raise outcome.error()
        self._placement.done(job)
        self._outcomes.begun[job.label] = outcome

    def _note_lost(self, job: Job) -> None:
        if job.attempt >= MAX_ATTEMPTS:
            self._outcomes.lost.append(job.label)

    async def _make_ready(self, address: str) -> None:
        if address not in self._ready:
            await self._call(at_worker.begin, self._id, self._work, address=address)
            self._ready.add(address)

    async def _call(self, function: Any, *given: Any, address: str) -> None:
        """Call a function in a worker, beside all tasks."""
        await self._client.run(function, *given, workers=[address])

    def _seconds_left(self) -> float | None:
        if self._ends_at is None:
            return None
        return max(0.001, self._ends_at - time.monotonic())

    # ---- beside the accounts --------------------------------------------------------------------------

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(_BEAT)
            with scheduler_gone(self._address):
                await self._beat()

    async def _beat(self) -> None:
        """See who is there, tell what is new, and let wait again what was read by a worker that is gone."""
        answers = await self._client.run(
            at_worker.report, self._id, is_stopped=self._is_stopped, on_error="return"
        )
        reports = {address: each for address, each in answers.items() if _is_there(address, each)}
        self._check_versions(reports)
        for each in reports.values():
            self._tell(each.news)
        now = time.monotonic()
        seats = self._seats(reports)
        # a worker that answers nothing at this moment is not gone: the scheduler still has it
        silent = {address for address in answers if address not in reports}
        seats += [seat for seat in self._placement.seats if seat.address in silent]
        lost = self._placement.see(seats, now)
        # all at once: while one is awaited the next may already be begun anew, by another task
        given_up = [self._waiting.pop(job) for job in lost if job in self._waiting]
        for job in lost:
            self._note_lost(job)
        await cancelled(*given_up)
        if self._placement.seats:
            self._workers_seen_at = now
        elif now - self._workers_seen_at > _NO_WORKER:
            raise CrmlabError(
                f"the cluster at {self._address} has had no worker for {_NO_WORKER:.0f} seconds"
            )
        self._ready &= {seat.address for seat in seats}
        self._changed.set()

    def _seats(self, reports: Mapping[str, Report]) -> list[Seat]:
        """Return the workers that are there, but for one with another process than before: the one that was is gone."""
        seats = []
        for address, each in reports.items():
            before = self._process_of.setdefault(address, each.process)
            self._process_of[address] = each.process
            if before == each.process:
                seats.append(Seat(address, each.machine, each.slots))
        return seats

    def _check_versions(self, reports: Mapping[str, Report]) -> None:
        own = at_worker.version()
        for address, each in reports.items():
            if each.version != own:
                raise UsageError(
                    f"the worker at {address} has crmlab {each.version}, and this process {own}: "
                    "install the same everywhere"
                )

    def _tell(self, news: Iterable[Any]) -> None:
        for each in news:
            if self._listener is not None:
                # what waits for a worker has not told how much it needs
                is_exact = each.exact and not self._placement.waiting
                self._listener(replace(each, exact=is_exact))

    async def _stop_when(self, stop: asyncio.Event) -> None:
        try:
            await asyncio.wait_for(stop.wait(), self._seconds_left())
        except TimeoutError:
            # an account that is read knows how long it may take, and says so where that was too short
            self._begins_no_more = True
        else:
            self._begins_no_more = self._is_stopped = True
        self._changed.set()

    async def _end(self) -> None:
        """Let the workers forget the run; where they cannot be reached there is nothing to forget."""
        try:
            await asyncio.wait_for(
                asyncio.shield(self._client.run(at_worker.end, self._id, on_error="ignore")), 5
            )
        except (OSError, TimeoutError):
            return


def _is_there(address: str, answer: Any) -> bool:
    """Whether a worker answered; raise where it cannot do the work."""
    if isinstance(answer, Report):
        return True
    if isinstance(answer, ImportError | AttributeError):
        raise UsageError(
            f"the worker at {address} lacks crmlab, or has another version of it: install the same everywhere"
        )
    return False
