"""The application's settings plus the baseline endpoint that ingestion is measured against."""

from capstack.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
