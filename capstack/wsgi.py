"""What granian serves."""

import gc
import os
import sys

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from capstack.warm_up import warm_up_soon

# How long a thread that computes may keep Python from one whose answer from the database has come. With the usual
# 5 ms, whoever records a stream waits for its turn as long as for the database.
SWITCH_SECONDS = 0.0005

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "capstack.settings")
application = get_wsgi_application()
sys.setswitchinterval(SWITCH_SECONDS)
# What is loaded by now stays: no collection need look at it again.
gc.collect()
gc.freeze()
if settings.PROCESS == "web":
    warm_up_soon()
