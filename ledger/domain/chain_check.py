"""Holding a journal against its chain, and naming the first row that does not fit.

What is known of the chain comes in spans: the seals of the database, and what was exported from it earlier. A span
says what the digest of each of its rows begins with (a seal knows all 32 bytes, an export the first 8) and what
the chain's head is after its last row.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ledger.domain.chain import COLUMNS, POSITION, chained, genesis, moved_digest, row_digest

EDITED = "edited"
REMOVED = "removed"
INSERTED = "inserted"
SWAPPED = "swapped"
CUT_OFF = "cut off"
# What is broken is the chain itself, not a row.
SEAL = "seal"

type Values = Sequence[str | None]

_EVENT_ID = COLUMNS.index("event_id")


@dataclass(frozen=True, slots=True)
class Span:
    """Attributes:
    first, last: positions, both included.
    digests: of each row as many leading bytes as are known, one after the other.
    head: h(last), 32 bytes.
    """

    first: int
    last: int
    digests: bytes
    head: bytes

    def digest_at(self, position: int) -> bytes:
        """Return what is known of the digest of one of its rows."""
        width = len(self.digests) // (self.last - self.first + 1)
        start = (position - self.first) * width
        return self.digests[start : start + width]


@dataclass(frozen=True, slots=True)
class Break:
    """The first place at which journal and chain differ.

    Attributes:
        kind: edited, removed, inserted, swapped, cut off, or seal when no row is to blame.
        event_id: of the row that is there now, hexadecimal; empty when there is none.
    """

    position: int
    kind: str
    event_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Attributes:
    rows: how many rows were held against the chain before it broke, or all.
    sealed, exported: the last position of the spans that were met.
    head: the chain's head after those rows.
    """

    rows: int
    sealed: int
    exported: int
    head: bytes
    broken: Break | None


class _Broken(Exception):
    def __init__(self, found: Break) -> None:
        super().__init__(found.detail)
        self.found = found


class _Track:
    """Spans that follow each other, read along with the rows."""

    def __init__(self, spans: Iterable[Span], *, name: str) -> None:
        self._spans = iter(spans)
        self._name = name
        self._current: Span | None = None
        self.last = 0

    def expected(self, position: int) -> bytes | None:
        """Return what the digest at a position must begin with, None past the last span."""
        if position > self.last:
            self._current = self._next()
        return None if self._current is None else self._current.digest_at(position)

    def _next(self) -> Span | None:
        following = next(self._spans, None)
        if following is None:
            return None
        if following.first != self.last + 1:
            raise _Broken(
                Break(
                    self.last + 1, SEAL, "", f"{self._name} of position {self.last + 1} is missing or there twice"
                )
            )
        self.last = following.last
        return following

    def check_head(self, position: int, head: bytes) -> None:
        span = self._current
        if span is not None and position == span.last and head != span.head:
            raise _Broken(
                Break(
                    span.first,
                    SEAL,
                    "",
                    f"{self._name} of positions {span.first} to {span.last} does not follow from the rows before",
                )
            )

    def ahead(self, position: int) -> Iterator[tuple[int, bytes]]:
        """Yield every later position with what its digest must begin with; the track is used up by it."""
        while self._current is not None:
            span = self._current
            for later in range(max(position + 1, span.first), span.last + 1):
                yield later, span.digest_at(later)
            self._current = self._next()


def check_chain(
    *, company_id: int, position: int, rows: Iterable[Values], seals: Iterable[Span], exported: Iterable[Span]
) -> Verdict:
    """Hold the rows of a company's journal against its seals and against what was exported.

    Args:
        position: what the journal's head row says is its last position.
        rows: canonical texts of every column, in the order of positions, without an upper bound.
        seals: of the database, in order.
        exported: kept outside of the database, in order; it tells a chain that was rewritten as a whole.
    """
    check = _Check(
        tracks=(_Track(seals, name="the seal"), _Track(exported, name="the exported head")),
        head=genesis(company_id=company_id),
    )
    broken = None
    try:
        check.follow(iter(rows), position)
    except _Broken as error:
        broken = error.found
    sealed, exported_track = check.tracks
    return Verdict(check.reached, sealed.last, exported_track.last, check.head, broken)


class _Check:
    def __init__(self, *, tracks: tuple[_Track, _Track], head: bytes) -> None:
        self.tracks = tracks
        self.head = head
        self.reached = 0

    def follow(self, rows: Iterator[Values], position: int) -> None:
        for values in rows:
            self._take(values, rows)
        self._end(position)

    def _take(self, values: Values, rows: Iterator[Values]) -> None:
        expected = self.reached + 1
        stands_at = int(values[POSITION] or 0)
        if stands_at != expected:
            raise _Broken(self._misplaced(values, stands_at, expected))
        digest = row_digest(values)
        for track in self.tracks:
            known = track.expected(expected)
            if known is not None and not digest.startswith(known):
                found = _classified(values, expected, known, rows, track)
                if track is self.tracks[1]:
                    found = replace(found, detail=f"{found.detail}, and the seals were rewritten to fit")
                raise _Broken(found)
        self.head = chained(self.head, digest)
        self.reached = expected
        for track in self.tracks:
            track.check_head(expected, self.head)

    def _misplaced(self, values: Values, stands_at: int, expected: int) -> Break:
        event = _event(values)
        if stands_at < expected:
            return Break(stands_at, INSERTED, event, f"a second row stands at position {stands_at}")
        return Break(expected, REMOVED, "", f"there is no row at position {expected}, the next one is {stands_at}")

    def _end(self, position: int) -> None:
        sealed, exported = self.tracks
        following = self.reached + 1
        for track, who in ((sealed, "the seals know"), (exported, "the exported heads know")):
            if track.expected(following) is not None:
                raise _Broken(
                    Break(following, CUT_OFF, "", f"the journal ends at {self.reached}, {who} a later row")
                )
        if position > self.reached:
            raise _Broken(
                Break(following, CUT_OFF, "", f"the journal ends at {self.reached}, its head row says {position}")
            )
        if sealed.last < exported.last:
            raise _Broken(
                Break(sealed.last + 1, SEAL, "", f"the seals end at {sealed.last}, {exported.last} was exported")
            )
        if position < self.reached:
            beyond = position + 1
            kind = SEAL if beyond <= sealed.last else INSERTED
            raise _Broken(
                Break(beyond, kind, "", f"the head row says {position}, but the rows go on to {self.reached}")
            )


def _classified(values: Values, position: int, known: bytes, rows: Iterator[Values], track: _Track) -> Break:
    """Say what was done to a row that does not fit: hold it, and the one behind it, against other places."""
    event = _event(values)
    following = next(rows, None)
    behind_fits_here = False
    if following is not None:
        if int(following[POSITION] or 0) == position and row_digest(following).startswith(known):
            return Break(position, INSERTED, event, f"a second row stands at position {position}")
        behind_fits_here = moved_digest(following, position=position).startswith(known)
    for later, digest in track.ahead(position):
        if moved_digest(values, position=later).startswith(digest):
            if later == position + 1 and not behind_fits_here:
                return Break(position, REMOVED, event, f"the row at {position} is gone; those behind it moved up")
            return Break(position, SWAPPED, event, f"the row that was at {later} now stands at {position}")
        if behind_fits_here:
            break
    if behind_fits_here:
        return Break(position, INSERTED, event, f"a row was put in at {position}; those behind it moved on")
    return Break(position, EDITED, event, f"the row at {position} is not the one that was recorded")


def _event(values: Values) -> str:
    return values[_EVENT_ID] or ""
