"""Variables of the environment, before Django and its settings are there."""

import os
from collections.abc import Mapping, MutableMapping


def is_set(name: str, environment: Mapping[str, str] | None = None) -> bool:
    """Whether a variable has a value, or NAME_FILE says where it is."""
    environment = os.environ if environment is None else environment
    return bool(environment.get(name) or environment.get(f"{name}_FILE"))


def adopt(environment: MutableMapping[str, str], found: Mapping[str, str]) -> None:
    """Take over the variables that are not set."""
    for name, value in found.items():
        if not is_set(name, environment):
            environment[name] = value
