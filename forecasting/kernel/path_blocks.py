"""Paths are simulated in blocks, one block after the other on one thread.

Two threads were measured and are slower: a block is some hundred NumPy calls of a few microseconds, and handing
the interpreter back and forth costs more than the second core gives (ADR 0033).
"""

PATHS_PER_BLOCK = 10_000


def blocks(paths: int) -> list[tuple[int, int]]:
    """Half-open path ranges."""
    return [(start, min(start + PATHS_PER_BLOCK, paths)) for start in range(0, paths, PATHS_PER_BLOCK)]
