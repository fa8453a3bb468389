"""Settings: what is missing or mistyped stops the start by name."""

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from capstack.environment import flag, loopback_origin, one_of, secret, whole_number


def settings_under(**variables: str) -> subprocess.CompletedProcess[str]:
    """Load the settings in an interpreter of their own, with only these variables."""
    kept = {"PATH": os.environ["PATH"], "DATABASE_URL": "postgresql://x@127.0.0.1:1/x", "REDIS_URL": "redis://x"}
    code = "import capstack.settings as s; print(s.SECRET_KEY)"
    return subprocess.run(
        [sys.executable, "-c", code], env=kept | variables, capture_output=True, text=True, check=False, timeout=60
    )


def test_there_is_no_default_secret_key():
    run = settings_under()
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1].endswith("ImproperlyConfigured: Set SECRET_KEY or SECRET_KEY_FILE.")


def test_an_empty_secret_key_is_none_at_all():
    assert settings_under(SECRET_KEY="").stderr.splitlines()[-1].endswith("Set SECRET_KEY or SECRET_KEY_FILE.")


def test_a_secret_may_come_from_a_file(tmp_path):
    path = tmp_path / "key"
    path.write_text("a-key-from-a-file\n")
    run = settings_under(SECRET_KEY_FILE=str(path))
    assert run.stdout.strip() == "a-key-from-a-file", run.stderr


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path):
    run = settings_under(SECRET_KEY_FILE=str(tmp_path / "absent"))
    assert "SECRET_KEY_FILE names a file that cannot be read" in run.stderr.splitlines()[-1]


@pytest.mark.parametrize("variable", ["DATABASE_URL", "REDIS_URL", "METRICS_TOKEN"])
def test_the_other_secrets_may_come_from_files_too(monkeypatch, tmp_path, variable):
    path = tmp_path / "secret"
    path.write_text("  from a file\n")
    monkeypatch.setenv(f"{variable}_FILE", str(path))
    monkeypatch.setenv(variable, "from the environment")
    assert secret(variable) == "from a file"


def test_an_empty_secret_file_is_refused(monkeypatch, tmp_path):
    (tmp_path / "empty").write_text("\n")
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "empty"))
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FILE names an empty file"):
        secret("SECRET_KEY")


def test_a_mistyped_flag_does_not_quietly_switch_a_protection_off(monkeypatch):
    monkeypatch.setenv("HTTPS_ONLY", "ture")
    with pytest.raises(ImproperlyConfigured, match="HTTPS_ONLY must be true or false, not 'ture'"):
        flag("HTTPS_ONLY", default=False)


@pytest.mark.parametrize(
    ("text", "value"), [("On", True), ("1", True), ("no", False), ("FALSE", False), ("", True)]
)
def test_flags_are_read_generously(monkeypatch, text, value):
    monkeypatch.setenv("A_FLAG", text)
    assert flag("A_FLAG", default=True) is value


@pytest.mark.parametrize("text", ["1", "1001", "-5", "many", "7.5"])
def test_a_number_outside_its_limits_is_refused_by_name(monkeypatch, text):
    monkeypatch.setenv("DATABASE_POOL_SIZE", text)
    with pytest.raises(ImproperlyConfigured, match="DATABASE_POOL_SIZE must be a whole number from 2 to 1000"):
        whole_number("DATABASE_POOL_SIZE", 16, least=2, most=1000)


def test_a_word_outside_the_choice_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    with pytest.raises(ImproperlyConfigured, match="LOG_LEVEL must be one of DEBUG, INFO, not 'LOUD'"):
        one_of("LOG_LEVEL", "INFO", choices=("DEBUG", "INFO"))


def test_every_variable_that_the_code_reads_stands_in_the_example():
    import re
    from pathlib import Path

    root = Path(__file__).resolve().parents[2]
    example = (root / ".env.example").read_text()
    settings = (root / "capstack" / "settings.py").read_text()
    read = set(re.findall(r'(?:env\.\w+|secret|flag|whole_number|one_of)\(\s*"([A-Z_]+)"', settings))
    assert len(read) > 12
    assert {name for name in read if f"# {name}=" not in example} == set()


@pytest.mark.parametrize(
    "text", ["https://sns.example", "http://127.0.0.1:80@evil.example", "http://127.0.0.1.evil.example:80", "x"]
)
def test_a_stand_in_for_tests_lies_on_this_machine_or_nowhere(monkeypatch, text):
    monkeypatch.setenv("SNS_LOOPBACK_ORIGIN", text)
    with pytest.raises(ImproperlyConfigured, match=r"must be http://127\.0\.0\.1:PORT"):
        loopback_origin("SNS_LOOPBACK_ORIGIN", forbidden=False)


def test_a_stand_in_for_tests_does_not_start_where_https_is_demanded():
    allowed = {"SECRET_KEY": "k", "SNS_LOOPBACK_ORIGIN": "http://127.0.0.1:5001"}
    assert settings_under(**allowed).returncode == 0
    refused = settings_under(**allowed, HTTPS_ONLY="true")
    assert "SNS_LOOPBACK_ORIGIN is for tests" in refused.stderr.splitlines()[-1]
