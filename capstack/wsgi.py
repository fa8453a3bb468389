"""What granian serves."""

import gc
import os
import sys

# Nothing that is loaded goes away again: looking for it would be a sixth of the time to start.
gc.disable()

from django.conf import settings  # noqa: E402 -- see above
from django.core.wsgi import get_wsgi_application  # noqa: E402

from capstack.warm_up import warm_up_soon  # noqa: E402

# How long a thread that computes may keep Python from one whose answer from the database has come. With the usual
# 5 ms, whoever records a stream waits for its turn as long as for the database.
SWITCH_SECONDS = 0.0005

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "capstack.settings")
application = get_wsgi_application()
sys.setswitchinterval(SWITCH_SECONDS)
# What is loaded by now stays: no collection need look at it again.
gc.collect()
gc.freeze()
gc.enable()
if settings.PROCESS == "web":
    warm_up_soon()
