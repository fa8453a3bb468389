"""Variables of the environment, read strictly: a value that is not what it should be stops the start by name."""

import re
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()
_FLAGS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def secret(name: str, default: str | None = None) -> str:
    """Return NAME, or the content of the file that NAME_FILE points to.

    Raises:
        ImproperlyConfigured: neither is set and there is no default, or the file cannot be read.
    """
    path = env.str(f"{name}_FILE", default="")
    if path:
        try:
            content = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{name}_FILE names a file that cannot be read: {error}") from error
        if not content:
            raise ImproperlyConfigured(f"{name}_FILE names an empty file: {path}")
        return content
    # An empty variable is as good as none: that is how .env files and manifests leave one out.
    value = env.str(name, default="") or default
    if value is None:
        raise ImproperlyConfigured(f"Set {name} or {name}_FILE.")
    return str(value)


def flag(name: str, default: bool) -> bool:
    """Return a yes or no. A typing mistake must not quietly switch a protection off.

    Raises:
        ImproperlyConfigured: it is neither.
    """
    text = env.str(name, default="").strip().lower()
    if not text:
        return default
    if text not in _FLAGS:
        raise ImproperlyConfigured(f"{name} must be true or false, not {text!r}.")
    return _FLAGS[text]


def whole_number(name: str, default: int, *, least: int, most: int) -> int:
    """Return a whole number within its limits.

    Raises:
        ImproperlyConfigured: it is none, or outside.
    """
    text = env.str(name, default="").strip()
    if not text:
        return default
    if not text.isdecimal() or not least <= int(text) <= most:
        raise ImproperlyConfigured(f"{name} must be a whole number from {least} to {most}, not {text!r}.")
    return int(text)


def one_of(name: str, default: str, *, choices: tuple[str, ...]) -> str:
    """Return one of a few words.

    Raises:
        ImproperlyConfigured: it is another one.
    """
    text = env.str(name, default="").strip() or default
    if text not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {text!r}.")
    return text


def loopback_origin(name: str, *, forbidden: bool) -> str:
    """Return an address of this machine itself, such as http://127.0.0.1:5000, or nothing.

    It stands in for somebody outside in tests. Set by accident where people work, it could at worst lead to a
    server of one's own machine, and the start refuses even that.

    Raises:
        ImproperlyConfigured: another host, or set where it is forbidden.
    """
    text = env.str(name, default="").strip()
    if not text:
        return ""
    if forbidden:
        raise ImproperlyConfigured(f"{name} is for tests and must not be set together with HTTPS_ONLY.")
    if re.fullmatch(r"http://127\.0\.0\.1:[0-9]{1,5}", text) is None:
        raise ImproperlyConfigured(f"{name} must be http://127.0.0.1:PORT, not {text!r}.")
    return text
