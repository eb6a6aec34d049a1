"""The rows of a push before anything is sent: which are done, which are refused here, and which can be sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from crmlab.connector import Entry, Fields
from crmlab.errors import CrmlabError, UsageError
from crmlab.fetching import Asked, chosen
from crmlab.pushing.batches import Ready, batches
from crmlab.pushing.results_file import Line, ResultsFile, earlier
from crmlab.pushing.rows import Row, Rows

_NOT_YET = "it was not its turn"


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The rows of a push: those to be sent, and what is known of all others."""

    rows: Rows
    options: Mapping[str, Any] = field(repr=False)
    #: in the order of the frame, each as it is without what the service has of it
    to_send: Sequence[Ready]
    #: of rows that are not sent: what is known of them
    kept: Mapping[int, Line]
    digests: Mapping[int, str]
    #: of rows to be sent: those of which an earlier push left nobody knows what
    unknown: Mapping[int, Line]

    @property
    def pending(self) -> list[Line]:
        """The rows whose work went on at the service when an earlier push ended."""
        return [line for line in self.kept.values() if line.pending]

    @property
    def reads_list(self) -> bool:
        """Whether a whole list is read before the first row is sent."""
        return bool(self.rows.target.current_resource) and any(
            each.entry.id is not None for each in self.to_send
        )

    @property
    def requests(self) -> int:
        """How many requests the rows need, without those for a whole list."""
        target = self.rows.target
        reads = sum(1 for each in self.to_send if each.row.needs_own_read(target))
        return sum(1 for _ in batches(self.to_send, target)) + reads

    def ready(self, row: Row, current: Fields) -> Ready:
        """Return a row as the record that is sent, made of what the service has; see `ready`."""
        return ready(self.rows, row, current, self.options)

    def asked(self, batch: Sequence[Ready]) -> Asked:
        """Return the operation that sends these rows, its arguments checked."""
        return asked(self.rows, batch, self.options)

    def left_over(self, settled: Collection[int], failure: CrmlabError | None) -> Iterator[Line]:
        """Yield a line for each row whose turn did not come."""
        reason = failure.what if failure else _NOT_YET
        for each in self.to_send:
            if each.row.number not in settled:
                yield self.line(each.row, reason)

    def line(self, row: Row, reason: str = "") -> Line:
        """Return the line of a row that was not sent now; of one that may have been before, that this is unknown."""
        return self.unknown.get(row.number) or not_sent(row, self.digests[row.number], reason)


def prepare(
    rows: Rows, file: ResultsFile, options: Mapping[str, Any], *, retry_unknown: bool
) -> Prepared:
    """Return which rows are to be sent; those that break a rule of the vendor's are refused, and put into the file.

    Raises
    ------
    UsageError
        the file is of another frame
    """
    if file.lines and max(file.lines) >= len(rows.all):
        raise UsageError(
            f"{file.path} has more rows than the frame: give the same frame, or name another file"
        )
    digests = {row.number: rows.digest(row, options) for row in rows.all}
    may_send_unknown = retry_unknown or rows.target.repeatable
    kept: dict[int, Line] = {}
    unknown: dict[int, Line] = {}
    to_send: list[Ready] = []
    first_rows: dict[str, int] = {}
    for row in rows.all:
        digest = digests[row.number]
        line = earlier(file.lines.get(row.number), digest, file.path)
        if line and _is_settled(line, may_send_unknown=may_send_unknown):
            kept[row.number] = line
            with suppress(UsageError):  # it is done, whatever other rows say
                _check_once(rows, row, first_rows)
            continue
        if line and line.state == "unknown":
            unknown[row.number] = line
        try:
            made = ready(rows, row, {}, options)
            _check_once(rows, row, first_rows)
            to_send.append(made)
        except UsageError as error:
            kept[row.number] = refusal(not_sent(row, digest), error)
    return Prepared(
        rows=rows, options=options, to_send=to_send, kept=kept, digests=digests, unknown=unknown
    )


def _check_once(rows: Rows, row: Row, first_rows: dict[str, int]) -> None:
    """Take note of a row without an id that the service knows by something else.

    Raises
    ------
    UsageError
        another row is of the same record: which of them counts in the end nobody knows
    """
    name = rows.target.known_by(Entry(row.id, row.fields(rows.target, {})))
    first = first_rows.setdefault(name, row.number) if name else row.number
    if first != row.number:
        raise UsageError(f"row {first} is of the same record, and a record is written once")


def ready(rows: Rows, row: Row, current: Fields, options: Mapping[str, Any]) -> Ready:
    """Return a row as the record that is sent, made of what the service has.

    Raises
    ------
    UsageError
        it breaks a rule of the vendor's document
    """
    fields = row.fields(rows.target, current)
    if rows.target.current_resource:  # the whole record is sent
        fields = {**current, **fields}
    found = Ready(row, Entry(row.id, fields))
    asked(rows, [found], options)
    return found


def asked(rows: Rows, batch: Sequence[Ready], options: Mapping[str, Any]) -> Asked:
    """Return the operation that sends these rows, its arguments checked."""
    operation, arguments = rows.target.ask([each.entry for each in batch], options)
    return chosen(rows.account, operation, arguments)


def not_sent(row: Row, digest: str, reason: str = "") -> Line:
    """Return the line of a row that was not sent."""
    return Line(row=row.number, digest=digest, state="not_sent", id=row.id, reason=reason)


def _is_settled(line: Line, *, may_send_unknown: bool) -> bool:
    """Whether a row of an earlier push is not sent again."""
    if line.state == "unknown":
        return not may_send_unknown
    return line.state in ("sent", "created", "updated")


def refusal(line: Line, error: CrmlabError) -> Line:
    """Return the line of a row that is refused, with the reason."""
    return replace(line, state="refused", reason=error.what)
