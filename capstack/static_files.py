"""Static files for the web server: hashed, compressed once, and only when something changed."""

import hashlib
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.test.utils import override_settings


def collect_when_changed() -> bool:
    """Collect, hash and compress the static files unless the last collection saw the same ones.

    Brotli at its best level takes seconds for the chart library, which a restart need not spend.

    Returns:
        Whether anything was collected.
    """
    root = Path(settings.STATIC_ROOT)
    stamp = root / ".collected"
    digest = _sources_digest()
    if stamp.exists() and stamp.read_text(encoding="ascii") == digest:
        return False
    storages = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    # This command runs as one that serves nothing, so its own storage makes no manifest.
    with override_settings(STORAGES=storages):
        call_command("collectstatic", interactive=False, clear=root.exists(), verbosity=0)
    stamp.write_text(digest, encoding="ascii")
    return True


def _sources_digest() -> str:
    digest = hashlib.sha256(django.get_version().encode())
    for finder in get_finders():
        for path, storage in finder.list(ignore_patterns=None):
            state = Path(storage.path(path)).stat()
            digest.update(f"{path}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()
