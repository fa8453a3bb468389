#!/usr/bin/env python
"""Django's command line for capstack; finds or starts the servers that a command needs before Django looks."""

import gc
import os
import sys


def main() -> int:
    if sys.version_info < (3, 12):  # noqa: UP036 -- whoever runs it with an old Python should read why it fails
        sys.stderr.write("capstack needs Python 3.12 or newer; this is %d.%d.\n" % sys.version_info[:2])  # noqa: UP031
        return 1
    from capstack.bootstrap import servers_for
    from capstack.supervision.problems import CannotStart

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "capstack.settings")
    try:
        if sys.argv[1:2] == ["up"]:
            # The supervisor starts the servers that Django's settings ask for, so it cannot be Django itself.
            from capstack.up import main as up

            return up(sys.argv[2:])
        # What is loaded stays. After every 700 new things, as Python does, looking for those that nobody needs any
        # more would be a sixth of the time that a command takes to start.
        gc.set_threshold(10_000)
        from django.core.management import execute_from_command_line

        with servers_for(sys.argv):
            execute_from_command_line(sys.argv)
    except CannotStart as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
