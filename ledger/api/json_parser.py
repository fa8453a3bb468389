"""Bodies that ninja reads itself: JSON that means one thing only, and a refusal that says where it does not."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.parser import Parser

from ledger.domain.strict_json import ExponentNumber, InvalidJson, RepeatedKey, parse_json


class StrictParser(Parser):
    """Refuses what the standard library decides in silence: of two equal keys the last, and NaN for a number."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Raises:
        InvalidJson: ninja turns it into a 400 and keeps it as the cause, which `refusal_of` tells.
        """
        try:
            return _plain(parse_json(request.body))
        except RecursionError as error:
            raise InvalidJson("is nested too deeply") from error


def refusal_of(error: HttpError) -> str:
    """What ninja's error says, or why it could not read a body."""
    cause = error.__cause__
    return f"The body is not JSON that can be read: {cause}." if isinstance(cause, InvalidJson) else error.message


def _plain(value: Any) -> Any:
    """The types that `json` would give, which pydantic knows."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, RepeatedKey):
        raise InvalidJson(f'the key "{value.key}" stands twice in one object')
    if isinstance(value, ExponentNumber):
        return float(value.text)
    return float(value) if isinstance(value, Decimal) else value
