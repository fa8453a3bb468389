"""The cloud accounts of a company, and clients for them. Who may enter stands in the settings, never in a table.

`CLOUD_ACCOUNTS` is JSON, best kept in a file of its own (CLOUD_ACCOUNTS_FILE): a list of
`{"company": slug, "name": text, "role_arn": text, "external_id": text, "regions": [text]}`. Without it, the only
company has the one account that the environment's credentials open, in AWS_REGION. Where there are several, nobody
guesses whose that account is: one company's runway must not shrink another's groups.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from cloudpolicy.services.aws import (
    ATTEMPTS,
    CloudUnavailable,
    RoleCredentials,
    client,
    is_loopback,
    one_line_errors,
)
from ledger.selectors.companies import all_companies

SESSION_NAME = "capstack"
_KEYS = {"company", "name", "role_arn", "external_id", "regions"}
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+")


@dataclass(frozen=True, slots=True)
class CloudAccount:
    """One account of a company.

    Attributes:
        name: as calls and journals name it; '' for the one that the environment opens.
        role_arn: the role to assume; '' uses the environment's credentials as they are.
        external_id: what the role's trust policy asks for; '' when it asks for none.
    """

    name: str
    regions: tuple[str, ...]
    role_arn: str = ""
    external_id: str = ""


def cloud_accounts(*, company: str) -> tuple[CloudAccount, ...]:
    """The accounts of a company, by its slug; empty when accounts are configured and none is its own.

    Raises:
        CloudUnavailable: the setting is wrong; the message names the entry and the key. Or it is needed and is
            missing.
    """
    if not settings.CLOUD_ACCOUNTS.strip():
        # A server of our own on loopback only pretends to be AWS: companies may share that.
        if not is_loopback(settings.AWS_ENDPOINT_URL) and len(all_companies()) > 1:
            raise CloudUnavailable(
                "there are several companies, so the setting CLOUD_ACCOUNTS must say whose cloud account this is",
                code="NoAccount",
                was_refused=True,
            )
        return (CloudAccount("", (settings.AWS_REGION,)),)
    try:
        entries = json.loads(settings.CLOUD_ACCOUNTS)
    except ValueError as error:
        raise _wrong("it is no JSON") from error
    if not isinstance(entries, list):
        raise _wrong("it is no list")
    read = [_account(entry, f"[{index}]") for index, entry in enumerate(entries)]
    keys = [(slug, account.name) for slug, account in read]
    if len(set(keys)) < len(keys):
        raise _wrong("two accounts of one company share a name")
    return tuple(account for slug, account in read if slug == company)


def _account(entry: Any, path: str) -> tuple[str, CloudAccount]:
    if not isinstance(entry, dict) or set(entry) - _KEYS:
        raise _wrong(f"{path} must be an object with the keys {', '.join(sorted(_KEYS))}")
    texts = {key: entry.get(key, "") for key in _KEYS - {"regions"}}
    for key, value in texts.items():
        if not isinstance(value, str) or len(value) > (64 if key == "name" else 2048):
            raise _wrong(f"{path}.{key} must be a text")
    for key in ("company", "name"):
        if not texts[key]:
            raise _wrong(f"{path}.{key} is missing")
    if texts["role_arn"] and not _ROLE.fullmatch(texts["role_arn"]):
        raise _wrong(f"{path}.role_arn is no ARN of a role")
    regions = entry.get("regions", [settings.AWS_REGION])
    named = isinstance(regions, list) and all(
        isinstance(each, str) and _REGION.fullmatch(each) for each in regions
    )
    if not named or not regions:
        raise _wrong(f"{path}.regions must be a list of regions such as us-east-1")
    account = CloudAccount(texts["name"], tuple(regions), texts["role_arn"], texts["external_id"])
    return texts["company"], account


def _wrong(problem: str) -> CloudUnavailable:
    return CloudUnavailable(f"the setting CLOUD_ACCOUNTS is wrong: {problem}", code="NoAccount", was_refused=True)


@dataclass(slots=True)
class Clouds:
    """Clients for the accounts of one company, made when they are asked for and kept while this object lives.

    Assumed roles last an hour, more than a run of the engine.
    """

    company: str
    _roles: dict[str, RoleCredentials | None] = field(default_factory=dict)
    _clients: dict[tuple[str, ...], Any] = field(default_factory=dict)

    def at(self, *, account: str, region: str) -> "AccountRegion":
        return AccountRegion(self, account, region)

    def client(self, service: str, *, account: str, region: str, attempts: int) -> Any:
        """Raises CloudUnavailable: the account is not the company's, or its role cannot be assumed."""
        key = (service, account, region, str(attempts))
        if key not in self._clients:
            role = self._role(account, region)
            self._clients[key] = client(service, region=region, role=role, attempts=attempts)
        return self._clients[key]

    def _role(self, name: str, region: str) -> RoleCredentials | None:
        if name not in self._roles:
            known = {account.name: account for account in cloud_accounts(company=self.company)}
            if name not in known:
                raise CloudUnavailable(
                    f"no cloud account is configured as {name!r} any more", code="NoAccount", was_refused=True
                )
            self._roles[name] = _assumed(known[name], region)
        return self._roles[name]


@dataclass(frozen=True, slots=True)
class AccountRegion:
    """One account and region: what an action is handed (`cloudpolicy.engine.cloud.Cloud`)."""

    clouds: Clouds
    account: str
    region: str

    def reading(self, service: str) -> Any:
        return self.clouds.client(service, account=self.account, region=self.region, attempts=ATTEMPTS)

    def changing(self, service: str) -> Any:
        return self.clouds.client(service, account=self.account, region=self.region, attempts=1)


def _assumed(account: CloudAccount, region: str) -> RoleCredentials | None:
    if not account.role_arn:
        return None
    try:
        with one_line_errors():
            answer = client("sts", region=region).assume_role(
                RoleArn=account.role_arn,
                RoleSessionName=SESSION_NAME,
                **({"ExternalId": account.external_id} if account.external_id else {}),
            )
    except CloudUnavailable as error:
        # Of several accounts one may be lost, and AWS does not know what we call it.
        raise CloudUnavailable(
            f"the role of the cloud account {account.name} is not given: {error}",
            code=error.code,
            request_id=error.request_id,
            was_refused=error.was_refused,
        ) from error
    given = answer["Credentials"]
    return RoleCredentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
