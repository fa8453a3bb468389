"""Policies as text: JSON for machines, YAML for people. Text and back again is the same document.

YAML reads more into a text than its writer meant: `no` is false, `22:00` is 1320, `2026-12-24` is a date, and a
few aliases can mean gigabytes. Here a value is an object, a list, a text, a whole number, a number, true, false or
null as in JSON (`on`, `off`, `yes` and `no` stay texts), and aliases, tags and repeated keys are refused.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from cloudpolicy.engine.document import OPTIONAL, REQUIRED, InvalidPolicy
from cloudpolicy.engine.reader import PolicyProblem

MAX_BYTES = 128 * 1024
MAX_DEPTH = 20
# A number this long is no number of days, instances or dollars, and reading it would take its square in time.
MAX_DIGITS = 40
_READING_ORDER = {key: place for place, key in enumerate((*REQUIRED, *OPTIONAL))}
_TAG = "tag:yaml.org,2002:"
# What a text without quotes may mean, and with which characters it then begins.
_PLAIN = (
    (f"{_TAG}bool", "true|false", "tf"),
    (f"{_TAG}null", "null|~|", ["n", "~", ""]),
    (f"{_TAG}int", "-?(?:0|[1-9][0-9]*)", "-0123456789"),
    (f"{_TAG}float", r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", "-0123456789"),
)


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader up to its nodes, with JSON's idea of a scalar and without aliases."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        where = f"line {self.peek_event().start_mark.line + 1}"
        if self.check_event(yaml.AliasEvent):
            raise _refused(where, "has an alias; say the value again")
        if self.depth > MAX_DEPTH:
            raise _refused(where, f"is nested more than {MAX_DEPTH} deep")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Dumper(yaml.SafeDumper):
    """Writes so that `_Loader`, and any YAML reader of either version, reads the same."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


for _tag, _pattern, _first in _PLAIN:
    for _kind in (_Loader, _Dumper):
        _kind.add_implicit_resolver(_tag, re.compile(rf"(?:{_pattern})\Z"), list(_first))


def read_json(text: str) -> Any:
    """Read a policy's JSON.

    Raises:
        InvalidPolicy: it is no JSON, repeats a key, or holds a number that JSON does not know.
    """
    _check_length(text)

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(found)
        if len(content) < len(found):
            repeated = next(key for n, (key, _) in enumerate(found) if key in dict(found[:n]))
            raise _refused("text", f"repeats the key {repeated}")
        return content

    def constant(name: str) -> None:
        raise _refused("text", f"holds {name}, which JSON does not know")

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except json.JSONDecodeError as error:
        raise _refused(f"line {error.lineno}", f"is not JSON: {error.msg}") from error
    except RecursionError as error:
        raise _refused("text", "is nested too deeply") from error
    except ValueError as error:
        # Python refuses to read a number of thousands of digits.
        if isinstance(error, InvalidPolicy):
            raise
        raise _refused("text", f"has a number of more than {MAX_DIGITS} digits") from error


def read_yaml(text: str) -> Any:
    """Read a policy's YAML into what its JSON would be.

    Raises:
        InvalidPolicy: it is no such YAML; the problem's path is `line 3`.
    """
    _check_length(text)
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise _refused("text", "is empty")
        return _content(node)
    except yaml.YAMLError as error:
        raise _refused(_line(error), _sentence(error)) from error
    finally:
        if loader is not None:
            loader.dispose()


def write_yaml(document: object) -> str:
    """Write a policy document as YAML, its keys in the order in which people read them. What is no policy is
    written as it is, for somebody to put right.
    """
    if isinstance(document, Mapping):
        keys = sorted(document, key=lambda key: (_READING_ORDER.get(key, 99), key))
        document = {key: document[key] for key in keys}
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


class Lines:
    """On which lines of a YAML text the values of a document stand."""

    def __init__(self, text: str) -> None:
        try:
            self._root: yaml.Node | None = yaml.compose(text, Loader=_Loader)
        except (yaml.YAMLError, InvalidPolicy):
            self._root = None

    def line_of(self, path: str) -> int | None:
        """The line of a problem's path, or of the nearest thing round it; None where the path leads nowhere."""
        node, line = self._root, None
        for part in _parts(path):
            node, mark = _child(node, part)
            if mark is None:
                break
            line = mark.line + 1
        return line


def _check_length(text: str) -> None:
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _refused("text", f"is longer than {MAX_BYTES // 1024} KB")


def _content(node: yaml.Node) -> Any:
    where = f"line {node.start_mark.line + 1}"
    if not isinstance(node, yaml.ScalarNode) and node.tag not in (f"{_TAG}map", f"{_TAG}seq"):
        raise _refused(where, f"has the tag {node.tag}; tags are not read")
    if isinstance(node, yaml.MappingNode):
        content: dict[str, Any] = {}
        for key, value in node.value:
            # Whatever a key looks like, it is a text here, as in JSON.
            if not isinstance(key, yaml.ScalarNode):
                raise _refused(where, "has a key that is no text")
            if key.value in content:
                raise _refused(f"line {key.start_mark.line + 1}", f"repeats the key {key.value}")
            content[key.value] = _content(value)
        return content
    if isinstance(node, yaml.SequenceNode):
        return [_content(each) for each in node.value]
    return _scalar(node, where)


def _scalar(node: yaml.Node, where: str) -> Any:
    if node.tag == f"{_TAG}str":
        return node.value
    # A tag that somebody wrote may name what the text is not.
    pattern = next((pattern for tag, pattern, _ in _PLAIN if tag == node.tag), None)
    if pattern is None or not re.fullmatch(pattern, node.value):
        raise _refused(where, f"has the tag {node.tag}; tags are not read")
    kind = node.tag.removeprefix(_TAG)
    if kind in ("bool", "null"):
        return {"true": True, "false": False}.get(node.value)
    if len(node.value) > MAX_DIGITS:
        raise _refused(where, f"has a number of more than {MAX_DIGITS} digits")
    return int(node.value) if kind == "int" else float(node.value)


def _parts(path: str) -> Iterator[str | int]:
    for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        yield int(index) if index else key


def _child(node: yaml.Node | None, part: str | int) -> tuple[yaml.Node | None, yaml.Mark | None]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return value, key.start_mark
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part].start_mark
    return None, None


def _line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return "text" if mark is None else f"line {mark.line + 1}"


def _sentence(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
    return f"is not YAML as it is read here: {' '.join(str(problem).split())}"


def _refused(path: str, message: str) -> InvalidPolicy:
    return InvalidPolicy((PolicyProblem(path, message),))
