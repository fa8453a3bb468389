"""An AWS that costs nothing: moto's server on the loopback, for the demo."""

import importlib.util
import os
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

from capstack.supervision.problems import CannotStart
from capstack.supervision.program import Program

# moto takes any keys; without some, boto3 would search the machine for real ones.
KEYS = {"AWS_ACCESS_KEY_ID": "demo", "AWS_SECRET_ACCESS_KEY": "demo"}


def aws_program(*, url: str, log: Path) -> Program:
    """Return moto's server at the given loopback address. What is made in it is gone when it stops."""
    if importlib.util.find_spec("moto") is None:
        raise CannotStart(
            "there is no moto: pip install -r requirements-embedded.txt, set AWS_ENDPOINT_URL, or use --no-demo"
        )
    address = urlsplit(url)
    return Program(
        name="aws",
        argv=(sys.executable, "-m", "moto.server", "-H", str(address.hostname), "-p", str(address.port)),
        # moto calls home for nothing; it must see none of the keys that belong to a real account.
        env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONDONTWRITEBYTECODE": "1", **KEYS},
        log=log,
        niceness=5,
        is_ready=lambda: is_listening(url=url),
    )


def free_loopback_url() -> str:
    """Return an HTTP address of the loopback on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def is_listening(*, url: str) -> bool:
    """Whether somebody listens at the address."""
    address = urlsplit(url)
    try:
        with socket.create_connection((str(address.hostname), int(address.port or 80)), timeout=2):
            return True
    except OSError:
        return False
