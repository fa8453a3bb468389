"""Exported heads in a folder: a file per company, a line per export."""

import os
from collections.abc import Iterator
from pathlib import Path

from ledger.domain.chain_check import Span
from ledger.domain.exported_head import UnreadableHead, read_head_line
from ledger.services.chain_heads.place import PlaceUnusable


class Folder:
    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def _file(self, company_id: int) -> Path:
        return self._path / f"company-{company_id}.ndjson"

    def spans(self, *, company_id: int) -> Iterator[Span]:
        path = self._file(company_id)
        try:
            with path.open("rb") as lines:
                for number, line in enumerate(lines, start=1):
                    # A line without an end was being written when its writer died; it is written again.
                    if line.endswith(b"\n"):
                        yield self._read(path, number, line, company_id)
        except FileNotFoundError:
            return
        except OSError as error:
            raise PlaceUnusable(f"{path}: {error.strerror}") from None

    def last(self, *, company_id: int) -> Span | None:
        path = self._file(company_id)
        try:
            with path.open("rb") as lines:
                end = lines.seek(0, os.SEEK_END)
                tail, start = b"", end
                while start > 0 and tail.rstrip(b"\n").count(b"\n") < 1:
                    start = max(0, start - 262_144)
                    lines.seek(start)
                    tail = lines.read(end - start)
                    tail = tail[: tail.rfind(b"\n") + 1]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PlaceUnusable(f"{path}: {error.strerror}") from None
        whole = tail.splitlines()
        return self._read(path, None, whole[-1], company_id) if whole else None

    def add(self, line: str, *, last: int, company_id: int) -> None:  # noqa: ARG002 - the order of lines says it
        path = self._file(company_id)
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            with path.open("ab+") as file:
                _cut_unfinished_line(file.fileno())
                file.write(line.encode("utf-8") + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise PlaceUnusable(f"{path}: {error.strerror}") from None

    @staticmethod
    def _read(path: Path, number: int | None, line: bytes, company_id: int) -> Span:
        try:
            return read_head_line(line.decode("utf-8", "replace"), company_id=company_id)
        except UnreadableHead as error:
            place = f"{path} line {number}" if number else f"the last line of {path}"
            raise PlaceUnusable(f"{place} {error}") from None


def _cut_unfinished_line(file: int) -> None:
    """Take off what a writer left that died in the middle of a line."""
    end = os.fstat(file).st_size
    kept = end
    while kept > 0:
        start = max(0, kept - 65_536)
        piece = os.pread(file, kept - start, start)
        newline = piece.rfind(b"\n")
        if newline >= 0:
            kept = start + newline + 1
            break
        kept = start
    if kept < end:
        os.ftruncate(file, kept)
