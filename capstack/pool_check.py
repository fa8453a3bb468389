"""The pool of connections: whether one that lay in it still lives, asked without a round trip; and a database that
comes back."""

import select
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

# By default psycopg tries for five minutes, ever more seldom, and whoever asks meanwhile waits for the next try: a
# database that is back would be called away for a minute. After two seconds the next request tries anew, at once.
RECONNECT_SECONDS = 2.0


def check_connection(connection: psycopg.Connection[Any]) -> None:
    """Return when a pooled connection is good; the pool drops one for which this raises, and gives another.

    A server that restarts, or ends a session, says so and closes: both make the socket readable, while nothing may
    arrive on an idle connection otherwise. So silence is enough, and only where something came in is the server
    asked. The question that psycopg asks each time costs every request a round trip, a quarter of a bare INSERT's
    time, and learns of a silent network no sooner.

    Raises:
        psycopg.OperationalError: the connection is gone.
    """
    socket = select.poll()
    socket.register(connection.fileno(), select.POLLIN)
    if socket.poll(0):
        ConnectionPool.check_connection(connection)
