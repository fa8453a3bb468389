"""What is asked for about a webhook endpoint: a new one, its accounts and settings, its keys, its secret."""

from collections.abc import Collection, Mapping
from typing import Any

from django import forms

from ledger.models.company import Company
from ledger.models.endpoint import WebhookEndpoint
from ledger.providers.registry import provider_named, providers

ACCOUNT = "account_"
CREDENTIAL = "credentials_"
_FORGET = "forget_"
_SECRET_HELP = "As the provider shows it. Empty: it is generated where the provider lets us, or added later."  # noqa: S105


class EndpointForm(forms.Form):
    company = forms.ModelChoiceField(Company.objects.none())
    provider = forms.ChoiceField()
    name = forms.CharField(
        max_length=100, required=False, help_text="Tells several endpoints of a provider apart."
    )
    account = forms.CharField(
        max_length=64, required=False, help_text="Account that events go to. Empty: the provider's default."
    )
    settings = forms.JSONField(required=False, initial=dict, widget=forms.Textarea(attrs={"rows": 3}))
    secret = forms.CharField(required=False, help_text=_SECRET_HELP, widget=forms.PasswordInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = [(name, provider.label) for name, provider in sorted(providers().items())]
        self.fields["provider"].choices = labels  # type: ignore[attr-defined]
        self.fields["settings"].help_text = " ".join(
            f"{provider.label}: {', '.join(provider.settings)}."
            for _, provider in sorted(providers().items())
            if provider.settings
        )
        for provider in providers().values():
            for name, what in provider.credentials.items():
                self.fields[f"{CREDENTIAL}{name}"] = _write_only(name, f"For {provider.label}: {what}.")

    def clean_settings(self) -> dict[str, Any]:
        return _json_object(self.cleaned_data["settings"])


class SettingsForm(forms.Form):
    """The accounts and settings of an endpoint that is there. An account left empty is the provider's default."""

    settings = forms.JSONField(required=False, widget=forms.Textarea(attrs={"rows": 5}))

    def __init__(self, endpoint: WebhookEndpoint, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        provider = provider_named(endpoint.provider)
        self.fields["settings"].initial = {**provider.settings, **endpoint.settings}
        for role, default in provider.accounts.items():
            self.fields[f"{ACCOUNT}{role}"] = forms.CharField(
                label=f"Account: {role}",
                max_length=64,
                required=False,
                initial=endpoint.accounts.get(role, ""),
                help_text=f"Empty: {default}." if default else "Empty: as each event says.",
            )
        self.order_fields([*(name for name in self.fields if name != "settings"), "settings"])

    def clean_settings(self) -> dict[str, Any]:
        return _json_object(self.cleaned_data["settings"])

    @property
    def accounts(self) -> dict[str, str]:
        values = self.cleaned_data.items()
        return {name.removeprefix(ACCOUNT): value for name, value in values if name.startswith(ACCOUNT) and value}


class CredentialsForm(forms.Form):
    """Keys for the provider's API: they go in and never come out. What is left empty stays as it is."""

    def __init__(self, endpoint: WebhookEndpoint, kept: Collection[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, what in provider_named(endpoint.provider).credentials.items():
            state = "One is kept; a new one takes its place." if name in kept else "None is kept."
            self.fields[f"{CREDENTIAL}{name}"] = _write_only(name, f"{what}. {state}")
            if name in kept:
                self.fields[f"{_FORGET}{name}"] = forms.BooleanField(label=f"Forget {name}", required=False)

    @property
    def given(self) -> dict[str, str]:
        return credentials_in(self.cleaned_data)

    @property
    def removed(self) -> list[str]:
        values = self.cleaned_data.items()
        return [name.removeprefix(_FORGET) for name, value in values if name.startswith(_FORGET) and value]


def _write_only(name: str, help_text: str) -> forms.CharField:
    # Not rendered again after an error either; no browser is asked to remember it.
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})
    return forms.CharField(label=name, required=False, strip=True, widget=widget, help_text=help_text)


def credentials_in(values: Mapping[str, Any]) -> dict[str, str]:
    return {
        name.removeprefix(CREDENTIAL): value
        for name, value in values.items()
        if name.startswith(CREDENTIAL) and value
    }


def _json_object(value: Any) -> dict[str, Any]:
    value = value or {}
    if not isinstance(value, dict):
        raise forms.ValidationError("Must be a JSON object.")
    return value


class SecretForm(forms.Form):
    secret = forms.CharField(required=False, help_text=_SECRET_HELP, widget=forms.PasswordInput)
