"""Who did something: by which door they came, and who they are."""


def person(actor: str) -> str:
    """`page:ann@acme.example` -> `ann@acme.example`. Who came by another door keeps its name."""
    return actor.removeprefix("page:")
