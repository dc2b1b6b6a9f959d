"""What the sign-up asks beside e-mail and password."""

from django import forms
from django.http import HttpRequest

from .models import User


class SignUpFields(forms.Form):
    """The shopper's name, if they like to tell it."""

    first_name = forms.CharField(max_length=150, required=False)
    last_name = forms.CharField(max_length=150, required=False)

    def signup(self, request: HttpRequest, user: User) -> None:
        """Asked for by allauth; its adapter has stored the names already."""
