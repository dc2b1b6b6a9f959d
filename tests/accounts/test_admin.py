"""Users in the admin, with their e-mail addresses."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from tests.orders.shop import make_user

pytestmark = pytest.mark.django_db


def test_a_user_is_shown_with_their_addresses(admin_client: Client):
    user = make_user()
    EmailAddress.objects.create(user=user, email="second@example.in", verified=True)

    page = admin_client.get(f"/admin/accounts/user/{user.pk}/change/").content.decode()

    assert "second@example.in" in page
    assert admin_client.get("/admin/account/emailaddress/").status_code == 404
