"""Who signs in to the demo: one person per role, with passwords made up on the spot."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from ledger.models.company import Company, Role
from ledger.models.user import User
from ledger.services.memberships import grant_membership

DOMAIN = "fernhill.example"


@dataclass(frozen=True, slots=True)
class SignIn:
    """What `up` prints for one person."""

    role: str
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class _Person:
    role: Role
    first_name: str
    last_name: str
    is_superuser: bool


PEOPLE = (
    _Person(Role.FOUNDER, "Mara", "Lindqvist", is_superuser=False),
    _Person(Role.FINANCE, "Theo", "Baptiste", is_superuser=False),
    _Person(Role.ADMIN, "Priya", "Raman", is_superuser=True),
)


def create_people(*, company: Company, sign_ins_path: Path) -> tuple[SignIn, ...]:
    """Make the demo's people and their sign-ins; who is there with a known password stays as they are.

    Passwords are random, and a file that only its owner may read is the one place where they stand: an
    installation that somebody can reach has no password that everybody knows.
    """
    known = {sign_in.email: sign_in for sign_in in read_sign_ins(sign_ins_path)}
    sign_ins = tuple(_create_person(person, company, known) for person in PEOPLE)
    if set(sign_ins) != set(known.values()):
        _write(sign_ins_path, sign_ins)
    return sign_ins


def read_sign_ins(path: Path) -> tuple[SignIn, ...]:
    """The demo's sign-ins; empty when there are none."""
    try:
        return tuple(SignIn(**each) for each in json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return ()


def _create_person(person: _Person, company: Company, known: dict[str, SignIn]) -> SignIn:
    email = f"{person.role.value}@{DOMAIN}"
    user = User.objects.filter(email=email).first()
    sign_in = known.get(email) or SignIn(person.role.value, email, secrets.token_urlsafe(12))
    if user is None:
        user = User.objects.create_user(
            email,
            sign_in.password,
            first_name=person.first_name,
            last_name=person.last_name,
            is_superuser=person.is_superuser,
        )
    elif email not in known:
        user.set_password(sign_in.password)
        user.save(update_fields=["password"])
    grant_membership(company_id=company.pk, email=email, role=person.role.value)
    return sign_in


def _write(path: Path, sign_ins: tuple[SignIn, ...]) -> None:
    text = json.dumps([asdict(sign_in) for sign_in in sign_ins], indent=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    half_written = path.with_suffix(".part")
    half_written.unlink(missing_ok=True)
    descriptor = os.open(half_written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    half_written.replace(path)
