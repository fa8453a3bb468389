"""What we ship of others is exactly what their packages contain, with its licence, and small enough to load."""

import hashlib
import json
from pathlib import Path

import brotli
import pytest

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = (ROOT / "static/vendor/VENDORED.json", ROOT / "tests/browser/vendor/VENDORED.json")
SCRIPT_BUDGET_BYTES = 400_000
FONT_BUDGET_BYTES = 120_000


def entries() -> list[tuple[Path, dict]]:
    return [
        (manifest.parent / entry["folder"], entry)
        for manifest in MANIFESTS
        for entry in json.loads(manifest.read_text())
    ]


@pytest.mark.parametrize(("folder", "entry"), entries(), ids=lambda value: getattr(value, "name", None))
def test_every_file_is_the_one_from_the_package(folder, entry):
    assert {path.name for path in folder.iterdir()} == set(entry["sha256"])
    for name, digest in entry["sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name


@pytest.mark.parametrize(("folder", "entry"), entries(), ids=lambda value: getattr(value, "name", None))
def test_every_package_names_version_and_licence(folder, entry):
    assert entry["package"].endswith("@" + entry["version"])
    assert folder.name.endswith("-" + entry["version"])
    assert entry["licence"] in {"0BSD", "MIT", "OFL-1.1", "MPL-2.0"}
    assert (folder / "LICENSE").stat().st_size > 100


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.parent.parent.name)
def test_no_folder_is_missing_from_the_manifest(manifest):
    listed = {entry["folder"] for entry in json.loads(manifest.read_text())}
    assert {path.name for path in manifest.parent.iterdir() if path.is_dir()} == listed


def test_the_scripts_of_a_first_load_fit_their_budget():
    scripts = [*(ROOT / "static/vendor").glob("*/*.js"), *(ROOT / "static/js").glob("*.js")]
    assert sum(len(brotli.compress(path.read_bytes())) for path in scripts) < SCRIPT_BUDGET_BYTES


def test_the_font_fits_its_budget():
    assert sum(path.stat().st_size for path in (ROOT / "static/vendor").glob("*/*.woff2")) < FONT_BUDGET_BYTES


def test_no_script_of_ours_needs_eval():
    for path in (ROOT / "static/js").glob("*.js"):
        text = path.read_text()
        assert "eval(" not in text, path.name
        assert "new Function" not in text, path.name
