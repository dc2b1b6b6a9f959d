from typing import ClassVar

import allauth.account.admin  # noqa: F401  registers what is taken out below
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm

from queues.ops.admin.lists import CappedPaginator

from .models import User

admin.site.unregister(EmailAddress)  # each is shown with its user


class AddressInline(admin.TabularInline[EmailAddress, User]):
    model = EmailAddress
    extra = 0


class UserCreationForm(AdminUserCreationForm[User]):
    class Meta:
        model = User
        fields = ("email",)


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User]):
    """Users by e-mail address; the search finds addresses that begin with the words."""

    add_form = UserCreationForm
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Name", {"fields": ("first_name", "last_name")}),
        ("May do", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    inlines = (AddressInline,)
    list_display = ("email", "first_name", "last_name", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email__startswith",)
    ordering: ClassVar[tuple[str, ...]] = ("-pk",)
    paginator = CappedPaginator
    show_full_result_count = False
