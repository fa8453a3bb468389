"""Signing in and out. The admin's own sign-in leads here, so that there is one door with one lock."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse

from capstack import sign_in_attempts

PASSWORD_CHARACTERS_LIMIT = 1024


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "This e-mail address and password do not belong together.",
        "inactive": "This account is switched off. An admin of your company can switch it on again.",
    }
    password = forms.CharField(
        max_length=PASSWORD_CHARACTERS_LIMIT,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.input_type = "email"
        self.fields["username"].widget.attrs |= {"autocomplete": "username", "spellcheck": "false"}


class SignIn(LoginView):
    """Asks for e-mail and password; after a few wrong ones from one address, asks to wait (429)."""

    template_name = "capstack/sign_in.html"
    form_class = SignInForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        account, address = request.POST.get("username", ""), request.META.get("REMOTE_ADDR", "")
        wait_seconds = sign_in_attempts.wait_seconds(account=account, address=address)
        if wait_seconds:
            response = self.render_to_response(
                self.get_context_data(form=SignInForm(request), wait_minutes=-(-wait_seconds // 60)), status=429
            )
            response["Retry-After"] = str(wait_seconds)
            return response
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        sign_in_attempts.forgive(
            account=self.request.POST.get("username", ""), address=self.request.META.get("REMOTE_ADDR", "")
        )
        return super().form_valid(form)


class SignOut(LogoutView):
    """POST only, so that no link or image signs anybody out."""

    http_method_names = ["post", "options"]
