"""What sign-up and password reset ask."""

from allauth.account.adapter import get_adapter
from allauth.headless.internal.restkit import inputs
from django import forms
from django.http import HttpRequest

from . import services
from .models import User


class SignUpFields(forms.Form):
    """The shopper's name, if they like to tell it."""

    first_name = forms.CharField(max_length=150, required=False)
    last_name = forms.CharField(max_length=150, required=False)

    def signup(self, request: HttpRequest, user: User) -> None:
        """Asked for by allauth; its adapter has stored the names already."""


class PasswordResetRequest(inputs.Input):  # type: ignore[misc]
    """An address. allauth's own form would make the secret here, in the request."""

    email = inputs.EmailField()

    def clean_email(self) -> str:
        return str(get_adapter().clean_email(self.cleaned_data["email"].lower()))

    def save(self, request: HttpRequest) -> None:
        services.request_password_reset(self.cleaned_data["email"])
