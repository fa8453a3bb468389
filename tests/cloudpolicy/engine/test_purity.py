"""The engine and the actions run where neither Django nor AWS is."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
IMPORT_ALL = """
import sys
from importlib import import_module
from pkgutil import iter_modules
import cloudpolicy.actions, cloudpolicy.engine
for package in (cloudpolicy.engine, cloudpolicy.actions):
    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
print(sorted({"django", "ninja", "boto3", "botocore", "redis"} & set(sys.modules)))
"""


def test_engine_and_actions_load_in_a_bare_interpreter() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        env={},
        timeout=60,
    )
    assert done.stdout.strip() == "[]"
