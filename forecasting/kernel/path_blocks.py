"""Paths are simulated in blocks, one block after the other on one thread.

Two threads were measured and are slower: a block is some hundred NumPy calls of a few microseconds, and handing
the interpreter back and forth costs more than the second core gives (ADR 0033).
"""

PATHS_PER_BLOCK = 10_000


def blocks(paths: int) -> list[tuple[int, int]]:
    """Half-open path ranges."""
    return pieces(count=paths, size=PATHS_PER_BLOCK)


def pieces(*, count: int, size: int) -> list[tuple[int, int]]:
    """0 .. count - 1 in half-open ranges of `size`, the last one shorter."""
    return [(start, min(start + size, count)) for start in range(0, count, size)]
