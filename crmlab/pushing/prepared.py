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
        if not self.rows.target.current_resource:
            return False
        return any(ready_row.entry.id is not None for ready_row in self.to_send)

    @property
    def requests(self) -> int:
        """How many requests the rows need, without those for a whole list."""
        target = self.rows.target
        own_reads = sum(ready_row.row.needs_own_read(target) for ready_row in self.to_send)
        return len([*batches(self.to_send, target)]) + own_reads

    def ready(self, row: Row, current: Fields) -> Ready:
        """Return a row as the record that is sent, made of what the service has; see `ready`."""
        return ready(self.rows, row, current, self.options)

    def asked(self, batch: Sequence[Ready]) -> Asked:
        """Return the operation that sends these rows, its arguments checked."""
        return asked(self.rows, batch, self.options)

    def left_over(self, settled: Collection[int], failure: CrmlabError | None) -> Iterator[Line]:
        """Yield a line for each row whose turn did not come."""
        reason = _NOT_YET
        if failure:
            reason = failure.what
        for ready_row in self.to_send:
            if ready_row.row.number not in settled:
                yield self.line(ready_row.row, reason)

    def line(self, row: Row, reason: str = "") -> Line:
        """Return the line of a row that was not sent now; of one that may have been before, that this is unknown."""
        return self.unknown.get(row.number) or not_sent(row, self.digests[row.number], reason)


def prepare(
    rows: Rows,
    file: ResultsFile,
    options: Mapping[str, Any],
    *,
    retry_unknown: bool,
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
    settled: dict[int, Line] = {}
    unknown: dict[int, Line] = {}
    to_send: list[Ready] = []
    first_rows: dict[str, int] = {}
    for frame_row in rows.all:
        number = frame_row.number
        earlier_line = earlier(file.lines.get(number), digests[number], file.path)
        if earlier_line and _is_settled(earlier_line, may_send_unknown=may_send_unknown):
            settled[number] = earlier_line
            with suppress(UsageError):  # it is done, whatever other rows say
                _check_once(rows, frame_row, first_rows)
            continue
        if earlier_line and earlier_line.state == "unknown":
            unknown[number] = earlier_line
        try:
            ready_row = ready(rows, frame_row, {}, options)
            # only a row that can be sent takes the place of others of its record
            _check_once(rows, frame_row, first_rows)
        except UsageError as error:
            settled[number] = refusal(not_sent(frame_row, digests[number]), error)
        else:
            to_send.append(ready_row)
    return Prepared(
        rows=rows, options=options, to_send=to_send, kept=settled, digests=digests, unknown=unknown
    )


def _check_once(rows: Rows, row: Row, first_rows: dict[str, int]) -> None:
    """Take note of a row without an id that the service knows by something else.

    Raises
    ------
    UsageError
        another row is of the same record: which of them counts in the end nobody knows
    """
    entry = Entry(row.id, row.fields(rows.target, {}))
    known_by = rows.target.known_by(entry)
    if not known_by:
        return
    first_row = first_rows.setdefault(known_by, row.number)
    if first_row != row.number:
        raise UsageError(f"row {first_row} is of the same record, and a record is written once")


def ready(
    rows: Rows,
    row: Row,
    current: Fields,
    options: Mapping[str, Any],
) -> Ready:
    """Return a row as the record that is sent, made of what the service has.

    Raises
    ------
    UsageError
        it breaks a rule of the vendor's document
    """
    vendor_fields = row.fields(rows.target, current)
    if rows.target.current_resource:  # the whole record is sent
        vendor_fields = {**current, **vendor_fields}
    ready_row = Ready(row, Entry(row.id, vendor_fields))
    # what it would be asked with is checked, and not kept: rows go together later
    asked(rows, [ready_row], options)
    return ready_row


def asked(
    rows: Rows,
    batch: Sequence[Ready],
    options: Mapping[str, Any],
) -> Asked:
    """Return the operation that sends these rows, its arguments checked."""
    entries = [ready_row.entry for ready_row in batch]
    operation, arguments = rows.target.ask(entries, options)
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
