"""Who is compared, and on which amounts of work."""

from dataclasses import dataclass

#: contacts past it are not reached by page number
_WALL = 10_000
#: expected to take longer than this: left out, its floor is reckoned instead
_LONGEST_SECONDS = 60
#: expected to take longer than this: run once, but in MAIN as often as the others
_ONCE_SECONDS = 10
#: OnePageCRM's limit: requests a second
RATE = 5


@dataclass(frozen=True)
class Cell:
    """One amount of work: records in each of four lists, seconds before each answer, limit or none."""

    records: int
    latency: float
    limited: bool = False

    @property
    def pages(self) -> list[int]:
        """Pages of the contacts, deals, actions and notes."""
        others = -(-self.records // 100)
        return [min(others, _WALL // 100), others, others, others]


@dataclass(frozen=True)
class Contender:
    """One way to fetch: its module, its environment, and how many requests it may have in flight.

    `serial`: one page of a list after the other, lists at the same time. `work` is about what a page costs it beside
    waiting, in seconds: it decides only what would take too long to be run.
    """

    name: str
    module: str
    environment: str
    in_flight: int
    work: float
    serial: bool = False

    def floor(self, cell: Cell) -> float:
        """Return the seconds that waiting for the answers takes at least."""
        rounds = max(sum(cell.pages) / self.in_flight, max(cell.pages) if self.serial else 2)
        return rounds * cell.latency

    def expected(self, cell: Cell) -> float:
        """Return about how long it will take."""
        return self.floor(cell) + sum(cell.pages) * self.work

    def runs(self, cell: Cell, wanted: int) -> int:
        """Return how often to run it there."""
        if cell.limited:
            return int(self in (BY_HAND, CRMLAB) or (self in PEERS and cell.records <= 1000))
        if self.expected(cell) > _LONGEST_SECONDS:
            return 0
        return 1 if self.expected(cell) > _ONCE_SECONDS and cell != MAIN else wanted


@dataclass(frozen=True)
class Target:
    """Who is compared with whom in MAIN; what is aimed at: times faster at least, and a share of its CPU at most."""

    ours: Contender
    theirs: Contender
    faster: float | None = None
    cpu: float | None = None


THROW_AWAY = Contender("throw away, 10 in flight", "throw_away", "hand", 10, 0.0005)
THROW_AWAY_100 = Contender("throw away, 100 in flight", "throw_away", "hand", 100, 0.0005)
BY_HAND = Contender("aiohttp by hand, 10 in flight", "by_hand", "hand", 10, 0.0065)
BY_HAND_100 = Contender("aiohttp by hand, 100 in flight", "by_hand", "hand", 100, 0.0065)
CRMLAB = Contender("crmlab, 10 in flight", "with_crmlab", "crmlab", 10, 0.002)
CRMLAB_100 = Contender("crmlab, 100 in flight", "with_crmlab", "crmlab", 100, 0.002)
CRMLAB_WHOLE = Contender(
    "crmlab, whole records, 10 in flight", "with_crmlab_whole", "crmlab", 10, 0.002
)
CRMLAB_WHOLE_100 = Contender(
    "crmlab, whole records, 100 in flight", "with_crmlab_whole", "crmlab", 100, 0.002
)
ONE_BY_ONE = Contender("requests, one by one", "one_by_one", "hand", 1, 0.007)
DLT = Contender("dlt", "with_dlt", "dlt", 4, 0.014, serial=True)
AIRBYTE = Contender("Airbyte CDK, as it comes", "with_airbyte", "airbyte", 2, 0.022, serial=True)
AIRBYTE_10 = Contender(
    "Airbyte CDK, concurrency 10", "with_airbyte", "airbyte", 10, 0.022, serial=True
)

PEERS = (DLT, AIRBYTE, AIRBYTE_10)
_CLIENTS_10 = (THROW_AWAY, BY_HAND, CRMLAB, CRMLAB_WHOLE)
_CLIENTS_100 = (THROW_AWAY_100, BY_HAND_100, CRMLAB_100, CRMLAB_WHOLE_100)
QUICK = (*_CLIENTS_10, *_CLIENTS_100, DLT)
CONTENDERS = (*_CLIENTS_10, *_CLIENTS_100, ONE_BY_ONE, *PEERS)
#: those that run in every cell; whole records are compared in MAIN alone
EVERYWHERE = tuple(each for each in CONTENDERS if each not in (CRMLAB_WHOLE, CRMLAB_WHOLE_100))

#: where the contenders are compared first
MAIN = Cell(10_000, 0.05)
CELLS = (
    *(
        Cell(records, latency)
        for records in (1_000, 10_000, 100_000)
        for latency in (0.0, 0.05, 0.2)
    ),
    Cell(1_000, 0.05, limited=True),
    Cell(10_000, 0.05, limited=True),
)

TARGETS = (
    Target(CRMLAB, THROW_AWAY),
    Target(CRMLAB, BY_HAND),
    Target(CRMLAB, ONE_BY_ONE),
    Target(CRMLAB, DLT, faster=4),
    Target(CRMLAB, AIRBYTE, faster=8),
    Target(CRMLAB, AIRBYTE_10),
    Target(CRMLAB_WHOLE, THROW_AWAY, faster=1 / 1.05),
    Target(CRMLAB_WHOLE, DLT, faster=4.5),
    Target(CRMLAB_100, THROW_AWAY_100),
    Target(CRMLAB_100, BY_HAND_100),
    Target(CRMLAB_100, DLT, faster=10),
    Target(CRMLAB_100, AIRBYTE, faster=20),
    Target(CRMLAB_100, AIRBYTE_10),
    Target(CRMLAB_WHOLE_100, BY_HAND_100, faster=3.5, cpu=0.35),
    Target(CRMLAB_WHOLE_100, DLT, faster=12),
)
