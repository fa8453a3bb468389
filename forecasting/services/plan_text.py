"""From the text of a plan.json to the document that is checked, stored and digested."""

import hashlib
import json
from decimal import Decimal
from typing import Any

from forecasting.fit.plan import InvalidPlan, PlanProblem
from ledger.domain.strict_json import ExponentNumber, InvalidJson, RepeatedKey, parse_json


def read_plan_text(text: str | bytes) -> Any:
    """Decode a plan without loss: equal keys, NaN and numbers with an exponent are refused, not guessed.

    Raises:
        InvalidPlan: not JSON, or JSON that means nothing certain; each problem with its path.
    """
    try:
        document = parse_json(text)
    except InvalidJson as error:
        raise InvalidPlan((PlanProblem(path="$", message=f"is not JSON: {error}"),)) from error
    problems: list[PlanProblem] = []
    plain = _plain(document, "$", problems)
    if problems:
        raise InvalidPlan(tuple(problems))
    return plain


def digest_of(document: Any) -> str:
    """SHA-256 of the document, the same for every order of keys and every layout of the text."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _plain(value: Any, path: str, problems: list[PlanProblem]) -> Any:
    """The same document in the types that the standard library's encoder and jsonb both keep."""
    if isinstance(value, dict):
        for key in value:
            _plain(key, f"{path}.{key!r}", problems)
        return {key: _plain(item, f"{path}.{key}", problems) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, f"{path}[{index}]", problems) for index, item in enumerate(value)]
    if isinstance(value, Decimal):
        # A float keeps the text of every number that a person writes; the rest stays exact as text.
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    where = path.removeprefix("$.")
    if isinstance(value, str) and not _storable(value):
        problems.append(PlanProblem(path=where, message="contains NUL or half a surrogate pair, which is no text"))
        return None
    if isinstance(value, RepeatedKey):
        problems.append(PlanProblem(path=where, message=f'has the key "{value.key}" twice'))
        return None
    if isinstance(value, ExponentNumber):
        problems.append(PlanProblem(path=where, message=f"must be written without an exponent, not {value.text}"))
        return None
    return value


def _storable(text: str) -> bool:
    """PostgreSQL takes neither NUL nor lone surrogates."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
