"""Lines of text from bytes of any provenance."""

import io

import pytest

from ledger.importers.row import FileRefused
from ledger.importers.text import MAX_LINE_CHARACTERS, Line, lines, spreadsheet_encoding, utf_encoding


def read(content: bytes, *, encoding: str = "utf-8-sig", universal_newlines: bool = True) -> list[Line]:
    return list(lines(io.BytesIO(content), encoding=encoding, universal_newlines=universal_newlines))


def test_it_numbers_lines_from_one_whatever_ends_them():
    assert read(b"a\r\nb\nc\rd") == [Line(1, "a"), Line(2, "b"), Line(3, "c"), Line(4, "d")]


def test_it_does_not_break_lines_at_separators_of_unicode():
    assert read("a\u2028b\x85c\n".encode()) == [Line(1, "a\u2028b\x85c")]


def test_a_line_that_is_too_long_is_a_problem_and_not_a_large_string():
    found = read(b"a\n" + b"x" * (3 * MAX_LINE_CHARACTERS) + b"\nb\n")
    assert [line.text for line in found] == ["a", "", "b"]
    assert found[1].problem == f"is longer than {MAX_LINE_CHARACTERS} characters"
    assert [line.number for line in found] == [1, 2, 3]


def test_a_byte_that_is_not_utf_8_is_the_problem_of_its_line_alone():
    found = read(b"a\nb\xe9c\nd\xc3\xa9\n")
    assert [line.problem for line in found] == ["", "is not UTF-8: byte 0xE9 at character 2", ""]
    assert found[2].text == "dé"


def test_the_stream_stays_open_for_its_owner():
    stream = io.BytesIO(b"a\n")
    list(lines(stream, encoding="utf-8", universal_newlines=True))
    stream.seek(0)
    assert stream.read() == b"a\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"plain", "utf-8-sig"),
        ("caf\u00e9".encode(), "utf-8-sig"),
        ("caf\u00e9 \u20ac".encode("cp1252"), "cp1252"),
        ("caf\u00e9".encode("utf-16"), "utf-16"),
        # Both: a UTF-8 file with one damaged byte.
        ("caf\u00e9".encode() + b" \xe9", "utf-8-sig"),
        # 0x81 is no character of Windows-1252.
        (b"caf\xe9 \x81 ", "utf-8-sig"),
        # Cut in the middle of a character: not a sign of Windows-1252.
        (b"x" * 1_048_575 + "\u00e9".encode() + b"x", "utf-8-sig"),
    ],
)
def test_it_tells_utf_8_from_what_windows_saves(content, encoding):
    stream = io.BytesIO(content)
    assert spreadsheet_encoding(stream) == encoding
    assert stream.tell() == 0


def test_a_false_byte_order_mark_refuses_the_file():
    with pytest.raises(FileRefused, match="not UTF-16"):
        utf_encoding(io.BytesIO(b"\xff\xfea\xd8\x00\x00"))
    with pytest.raises(FileRefused, match="not UTF-16"):
        utf_encoding(io.BytesIO(b"\xff\xfea\x00b"))
