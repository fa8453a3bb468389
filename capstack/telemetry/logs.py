"""Structured logs on stderr: JSON for machines, columns for a terminal. stdout belongs to what commands print."""

import logging
import sys
from typing import Any

import structlog

FORMATS = ("auto", "console", "json")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def logging_config(*, level: str, log_format: str) -> dict[str, Any]:
    """Return Django's LOGGING setting.

    Every record of the standard library passes through structlog's processors: `extra={...}` and the request id
    become fields, exceptions become one field.

    Args:
        level: least level that is written, such as INFO.
        log_format: json, console, or auto (console when stderr is a terminal).
    """
    for_people = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if for_people
        else structlog.processors.JSONRenderer(default=str)
    )
    exceptions: list[Any] = [] if for_people else [structlog.processors.format_exc_info]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [
                    structlog.contextvars.merge_contextvars,
                    structlog.stdlib.add_logger_name,
                    structlog.stdlib.add_log_level,
                    structlog.stdlib.ExtraAdder(),
                    structlog.processors.TimeStamper(fmt="iso", utc=True),
                ],
                "processors": [
                    _without_request_object,
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *exceptions,
                    renderer,
                ],
            }
        },
        "filters": {"one_line": {"()": _OneLine}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "structured"}
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers would mail admins or write a second time.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            # Says every 4xx a second time; ours carries the request id and the duration.
            "django.request": {"handlers": [], "level": "ERROR", "propagate": True},
            # Any stranger can send another host's name; the message says all, the stack nothing.
            "django.security.DisallowedHost": {"filters": ["one_line"], "level": level, "propagate": True},
            "botocore": {"level": "WARNING"},
            "urllib3": {"level": "WARNING"},
        },
    }


class _OneLine(logging.Filter):
    """Leaves out the stack."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True


def _without_request_object(_logger: Any, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    """Drop Django's `request` and `server` extras: their text may hold a query string, which may hold a secret."""
    event.pop("request", None)
    event.pop("server", None)
    return event
