"""A gate in Redis that lets one job per company wait: many events a second must not become as many jobs.

Whoever shuts the gate enqueues, the others find it shut. The job opens it before it reads the journal, so an event
that commits later enqueues the next job, and none falls between (ADR 0041).
"""

from redis import Redis

# A job lost with its worker must not shut the gate for ever. Longer than a job usually waits in the queue.
GATE_SECONDS = 20


def shut_gate(client: Redis, *, work: str, company_id: int, seconds: int = GATE_SECONDS) -> bool:
    """Whether the gate was open: then the caller enqueues.

    Args:
        seconds: after which it opens by itself.

    Raises:
        RedisError, OSError: Redis does not answer.
    """
    return bool(client.set(_key(work, company_id), "1", nx=True, ex=seconds))


def hold_gate(client: Redis, *, work: str, company_id: int, seconds: int) -> None:
    """Keep the gate shut from now on, although no job waits: what has just failed is not tried at once.

    Raises:
        RedisError, OSError: Redis does not answer.
    """
    client.set(_key(work, company_id), "1", ex=seconds)


def open_gate(client: Redis, *, work: str, company_id: int) -> None:
    """Let the next event enqueue again.

    Raises:
        RedisError, OSError: Redis does not answer; the gate opens by itself in time.
    """
    client.delete(_key(work, company_id))


def _key(work: str, company_id: int) -> str:
    return f"{work}:wake:{company_id}"
