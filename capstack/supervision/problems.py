"""Why something does not start."""


class CannotStart(Exception):
    """One line for the person at the terminal: what is wrong, where, and what to do about it."""
