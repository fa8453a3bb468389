"""Opens what a person hands in: a file or a pipe, plain or gzip, of any size, and bounded on every side."""

import gzip
import io
import tempfile
import zlib
from collections.abc import Buffer, Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from ledger.importers.row import FileRefused

GZIP_MAGIC = b"\x1f\x8b"
CHUNK_BYTES = 1_048_576
MAX_PLAIN_BYTES = 16 * 1_073_741_824
# Ledgers shrink 10 to 30 times, gzip can go to 1,032. A ratio above this is a bomb once it costs something.
MAX_EXPANSION = 200
EXPANSION_FREE_BYTES = 67_108_864
# A few of them are read per second, whatever the format.
WATCHED_BYTES = 8_388_608


@contextmanager
def plain_stream(stream: BinaryIO, *, max_plain_bytes: int = MAX_PLAIN_BYTES) -> Iterator[BinaryIO]:
    """Give a seekable stream of the decompressed content, at its beginning.

    A pipe and a gzip file are copied to a temporary file on disk first: so a gzip file that is cut off or damaged
    near its end is refused before anything of it is recorded, and memory stays flat.

    Raises:
        FileRefused: empty, damaged, too large, a decompression bomb, or compressed twice.
    """
    head = stream.read(len(GZIP_MAGIC))
    if not head:
        raise FileRefused("the file is empty")
    if stream.seekable():
        stream.seek(0)
        if head != GZIP_MAGIC:
            yield stream
            return
    with tempfile.TemporaryFile(prefix="capstack-import-") as spool:
        if not stream.seekable():
            spool.write(head)
            _copy(source=stream, target=spool, max_bytes=max_plain_bytes)
            spool.seek(0)
            stream = spool
        if head != GZIP_MAGIC:
            yield spool
            return
        with tempfile.TemporaryFile(prefix="capstack-import-") as plain:
            _unpack(packed=stream, plain=plain, max_plain_bytes=max_plain_bytes)
            plain.seek(0)
            yield plain


def _copy(*, source: BinaryIO, target: BinaryIO, max_bytes: int) -> None:
    copied_bytes = 0
    while chunk := source.read(CHUNK_BYTES):
        copied_bytes += len(chunk)
        if copied_bytes > max_bytes:
            raise FileRefused(f"larger than {max_bytes} bytes")
        target.write(chunk)


def _unpack(*, packed: BinaryIO, plain: BinaryIO, max_plain_bytes: int) -> None:
    plain_bytes = 0
    with gzip.GzipFile(fileobj=packed, mode="rb") as unpacked:
        while True:
            try:
                chunk = unpacked.read(CHUNK_BYTES)
            except EOFError:
                raise FileRefused(f"the gzip file ends too early, after {plain_bytes} bytes of content") from None
            except (gzip.BadGzipFile, zlib.error) as error:
                raise FileRefused(
                    f"the gzip file is damaged after {plain_bytes} bytes of content: {error}"
                ) from error
            if not chunk:
                break
            if not plain_bytes and chunk.startswith(GZIP_MAGIC):
                raise FileRefused("compressed twice: unpack it once")
            plain_bytes += len(chunk)
            # packed.tell() runs ahead by gzip's read buffer, which only makes the bound more lenient.
            if plain_bytes > max_plain_bytes or (
                plain_bytes > EXPANSION_FREE_BYTES and plain_bytes > MAX_EXPANSION * packed.tell()
            ):
                raise FileRefused(
                    f"the gzip file grows too much: {packed.tell()} bytes of it unpack to {plain_bytes} already"
                )
            plain.write(chunk)
    if not plain_bytes:
        raise FileRefused("the file is empty")


class _Watched(io.RawIOBase):
    def __init__(self, stream: BinaryIO, on_read: Callable[[], None]) -> None:
        self._stream = stream
        self._on_read = on_read
        self._unsaid_bytes = 0

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer)
        chunk = self._stream.read(len(view))
        view[: len(chunk)] = chunk
        self._unsaid_bytes += len(chunk)
        if self._unsaid_bytes >= WATCHED_BYTES:
            self._unsaid_bytes = 0
            self._on_read()
        return len(chunk)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()


def watched(stream: BinaryIO, *, on_read: Callable[[], None]) -> BinaryIO:
    """Give a seekable stream that calls back after every WATCHED_BYTES that are read of it, however often it is
    read from its beginning. The stream below stays open.
    """
    return io.BufferedReader(_Watched(stream, on_read), CHUNK_BYTES)


def binary(stream: object) -> BinaryIO:
    """`sys.stdin.buffer` and Django's uploads are binary streams that typing does not call BinaryIO."""
    return cast("BinaryIO", stream)
