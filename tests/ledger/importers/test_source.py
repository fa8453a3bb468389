"""Opening files: plain, gzip and pipes, bounded."""

import gzip
import io
import zlib

import pytest

from ledger.importers import source
from ledger.importers.row import FileRefused
from ledger.importers.source import plain_stream

CONTENT = b'{"amount": "1.00"}\n' * 1000


class Pipe(io.RawIOBase):
    """A stream that can only be read forward, as standard input from a pipe."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def readinto(self, buffer: bytearray) -> int:
        chunk = self._content.read(min(len(buffer), 7))
        buffer[: len(chunk)] = chunk
        return len(chunk)


@pytest.mark.parametrize("packed", [CONTENT, gzip.compress(CONTENT)], ids=["plain", "gzip"])
@pytest.mark.parametrize("opened", [io.BytesIO, lambda content: io.BufferedReader(Pipe(content))])
def test_it_gives_the_plain_content_of_files_and_pipes_seekable(packed, opened):
    with plain_stream(opened(packed)) as stream:
        assert stream.read() == CONTENT
        stream.seek(0)
        assert stream.read(1) == b"{"


def test_it_reads_a_gzip_file_of_several_members():
    with plain_stream(io.BytesIO(gzip.compress(CONTENT) + gzip.compress(CONTENT))) as stream:
        assert stream.read() == CONTENT * 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (gzip.compress(b""), "the file is empty"),
        (gzip.compress(CONTENT)[:-20], "ends too early"),
        (gzip.compress(CONTENT)[:-8] + b"\0\0\0\0\0\0\0\0", "damaged"),
        (gzip.compress(CONTENT) + b"rest", "damaged"),
        (b"\x1f\x8bnot gzip at all", "damaged"),
        (gzip.compress(gzip.compress(CONTENT)), "compressed twice"),
    ],
    # Packed bytes carry the time of packing; a test's name must not.
    ids=["nothing", "packed_nothing", "cut_off", "wrong_checksum", "rest_behind", "not_gzip", "packed_twice"],
)
def test_it_refuses_what_cannot_be_unpacked_to_its_end(content, reason):
    with pytest.raises(FileRefused, match=reason), plain_stream(io.BytesIO(content)):
        pass


def test_it_refuses_a_decompression_bomb_long_before_it_is_unpacked(monkeypatch):
    monkeypatch.setattr(source, "EXPANSION_FREE_BYTES", 2 * source.CHUNK_BYTES)
    compressor = zlib.compressobj(level=9, wbits=31)
    bomb = b"".join(compressor.compress(bytes(1_048_576)) for _ in range(64)) + compressor.flush()
    with (
        pytest.raises(FileRefused, match=r"grows too much: 6\d{4} bytes of it unpack to 1\d{7} already"),
        plain_stream(io.BytesIO(bomb)),
    ):
        pass


def test_it_bounds_the_size_of_pipes_and_of_unpacked_content():
    with (
        pytest.raises(FileRefused, match="larger than 100 bytes"),
        plain_stream(io.BufferedReader(Pipe(CONTENT)), max_plain_bytes=100),
    ):
        pass
    with (
        pytest.raises(FileRefused, match="grows too much"),
        plain_stream(io.BytesIO(gzip.compress(CONTENT)), max_plain_bytes=100),
    ):
        pass
