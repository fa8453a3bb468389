"""A policy in a file, for commands."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.engine.policy_text import MAX_BYTES, Lines, read_json, read_yaml


def read_policy_file(path: Path) -> tuple[str, Any]:
    """Return the text of a file and what it says: JSON for `.json`, else YAML.

    Raises:
        CommandError: it cannot be read.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CommandError(f"{path} is larger than {MAX_BYTES // 1024} KB, which no policy is")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not UTF-8 at byte {error.start}") from error
    try:
        return text, read_json(text) if path.suffix == ".json" else read_yaml(text)
    except InvalidPolicy as invalid:
        raise refusal_of(path, invalid, text=text) from invalid


def refusal_of(path: Path, invalid: InvalidPolicy, *, text: str) -> CommandError:
    """Every problem in one line, with the line of the file it stands on."""
    found, lines = [], Lines(text)
    for problem in invalid.problems:
        line = lines.line_of(problem.path)
        found.append(f"{problem.path}{f' (line {line})' if line else ''} {problem.message}")
    return CommandError(f"{path}: {'; '.join(found)}")
