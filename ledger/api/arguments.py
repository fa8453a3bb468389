"""What a request says: parameters that nobody knows are refused, and all are called as they were written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any

from django.http import HttpRequest
from ninja.errors import ValidationErrorContext
from ninja.params.models import ParamModel

from ledger.api.problems import Problem
from ledger.domain.problems import FieldProblem

type View = Callable[..., Any]


def known_queries_only(view: View) -> View:
    """Decorate a view of ninja's: a query parameter that it does not have is refused, not passed over.

    Whoever asks for `?bassis=bank` would else get the figure of another basis and believe it.

    Raises:
        Problem: 422, naming the parameter.
    """
    models = view._ninja_operation.models  # type: ignore[attr-defined]
    known = _query_names(models)

    @wraps(view)
    def with_known_queries(request: HttpRequest, *args: Any, **values: Any) -> Any:
        if unknown := [name for name in request.GET if name not in known]:
            allowed = f"; there are {', '.join(sorted(known))}" if known else "; there is none"
            problems = [FieldProblem(name, f"is not a parameter of this address{allowed}") for name in unknown]
            raise Problem(422, "The request is refused.", errors=problems)
        return view(request, *args, **values)

    return with_known_queries


def _query_names(models: Iterable[Any]) -> frozenset[str]:
    return frozenset(
        name for model in models if model.__ninja_param_source__ == "query" for name in model.__ninja_flatten_map__
    )


def as_written(
    context: ValidationErrorContext[ParamModel], errors: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return ninja's errors with places as the sender knows them, without the name of our argument in front.

    Args:
        context: of these errors alone.
    """
    ours = _argument_names(context.model)
    return [{**error, "loc": _without(ours, tuple(error["loc"]))} for error in errors]


def _without(ours: frozenset[str], place: tuple[Any, ...]) -> tuple[Any, ...]:
    source, *path = place
    return (source, *(path[1:] if path and path[0] in ours else path))


def _argument_names(model: Any) -> frozenset[str]:
    """Arguments of the view under which pydantic found what the sender wrote at the top."""
    grouped = {path[0] for path in (getattr(model, "__ninja_flatten_map__", None) or {}).values() if len(path) > 1}
    whole_body = getattr(model, "__read_from_single_attr__", None)
    return frozenset(grouped | ({whole_body} if whole_body else set()))
