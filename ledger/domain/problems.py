"""What is wrong with something that came in, said so that its sender can mend it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field and the one thing wrong with it.

    Attributes:
        field: the name the sender used, dotted for nested values; empty when the whole item is meant.
        message: a sentence, without the field's name.
    """

    field: str
    message: str


class InvalidEvent(ValueError):
    """An event that is refused.

    Attributes:
        errors: every problem found, never empty.
    """

    def __init__(self, errors: tuple[FieldProblem, ...]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors
