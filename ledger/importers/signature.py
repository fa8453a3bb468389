"""Files whose first bytes tell that they are no events: refused by name, which helps more than a parse error."""

import codecs

from ledger.importers.row import FileRefused

# First bytes -> what such a file is. https://en.wikipedia.org/wiki/List_of_file_signatures
FOREIGN_SIGNATURES = (
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook: save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook: save the sheet as CSV"),
    (b"%PDF", "a PDF document"),
    (b"PAR1", "a Parquet file"),
    (b"BZh", "compressed by bzip2: unpack it, or use gzip"),
    (b"\xfd7zXZ", "compressed by xz: unpack it, or use gzip"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd: unpack it, or use gzip"),
    (b"7z\xbc\xaf", "a 7-Zip archive: unpack it, or use gzip"),
    (b"SQLite format 3", "a SQLite database"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"\x7fELF", "a program"),
    (b"{\\rtf", "a rich text document: save it as plain text"),
)
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def refuse_foreign_formats(head: bytes, *, markup: bool = False) -> None:
    """Raise FileRefused when the first bytes of a file show that it holds no events in text.

    Args:
        markup: XML is what is expected here; HTML never is.
    """
    for signature, what in FOREIGN_SIGNATURES:
        if head.startswith(signature):
            raise FileRefused(f"this is {what}")
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise FileRefused("the text is UTF-32: save it as UTF-8")
    if head.startswith(UTF_16_MARKS):
        # An odd end of the head may cut a character in two.
        beginning = head.decode("utf-16", errors="ignore").lstrip()
    else:
        offset = head.find(b"\x00")
        if offset >= 0:
            raise FileRefused(f"this is not text: {_place(head, offset)} is NUL (UTF-16 needs a byte order mark)")
        beginning = head.decode("utf-8-sig", errors="replace").lstrip()
    if not beginning:
        raise FileRefused("the file is empty")
    lowered = beginning[:512].lower()
    if lowered.startswith(("<!doctype html", "<html")):
        raise FileRefused("this is an HTML page, perhaps a sign-in page that was saved in place of the export")
    if lowered.startswith("<") and not markup:
        raise FileRefused("this is XML, which is not a format known here")


def _place(head: bytes, offset: int) -> str:
    """Say where a byte is as an editor would, whichever line breaks the file has."""
    before = head[:offset].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return f"byte {len(before) - before.rfind(b'\n')} of line {before.count(b'\n') + 1}"
