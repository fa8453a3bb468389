"""A gate in Redis that lets one job per company wait: many events a second must not become as many jobs.

Whoever shuts the gate enqueues, the others find it shut. The job opens it before it reads the journal, so an event
that commits later enqueues the next job, and none falls between (ADR 0041).
"""

from redis import Redis

# A job lost with its worker must not shut the gate for ever. Longer than a job usually waits in the queue.
GATE_SECONDS = 20


def shut_gate(client: Redis, *, work: str, company_id: int) -> bool:
    """Whether the gate was open: then the caller enqueues.

    Raises:
        RedisError, OSError: Redis does not answer.
    """
    return bool(client.set(_key(work, company_id), "1", nx=True, ex=GATE_SECONDS))


def open_gate(client: Redis, *, work: str, company_id: int) -> None:
    """Let the next event enqueue again.

    Raises:
        RedisError, OSError: Redis does not answer; the gate opens by itself after GATE_SECONDS.
    """
    client.delete(_key(work, company_id))


def _key(work: str, company_id: int) -> str:
    return f"{work}:wake:{company_id}"
