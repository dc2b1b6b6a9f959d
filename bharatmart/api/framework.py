"""How REST framework and drf-spectacular are set up; settings.py says with which values."""

from typing import Any


def rest_framework_settings(trusted_proxies: int) -> dict[str, Any]:
    """REST_FRAMEWORK: JSON alone, log-in needed unless a view says otherwise, our errors, limits and pages."""
    return {
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "bharatmart.api.authentication.SessionTokenAuthentication",
            "rest_framework.authentication.SessionAuthentication",
        ],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_THROTTLE_CLASSES": ["bharatmart.api.throttling.SharedThrottle"],
        "DEFAULT_PAGINATION_CLASS": "bharatmart.api.pagination.KeysetPagination",
        "DEFAULT_PARSER_CLASSES": ["bharatmart.api.parsers.JSONParser"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
        "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
        "EXCEPTION_HANDLER": "bharatmart.api.errors.handle_exception",
        "NUM_PROXIES": trusted_proxies,
        "TEST_REQUEST_DEFAULT_FORMAT": "json",
    }


def spectacular_settings(shop: str) -> dict[str, Any]:
    """SPECTACULAR_SETTINGS: everything the page loads is our own, and it asks no validator outside."""
    return {
        "TITLE": f"{shop} API",
        "DESCRIPTION": "Products, orders, payments and accounts. Amounts are whole paise, times are ISO 8601.",
        "VERSION": "1.0.0",
        "SCHEMA_PATH_PREFIX": "/api",
        "SERVE_INCLUDE_SCHEMA": False,
        "SWAGGER_UI_DIST": "SIDECAR",
        "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
        "REDOC_DIST": "SIDECAR",
        "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": True, "validatorUrl": None},
        "ENUM_NAME_OVERRIDES": {
            "JobStateEnum": "queues.states.JobState",
            "OrderStateEnum": "orders.states.OrderState",
            "PaymentStateEnum": "payments.states.PaymentState",
            "RefundStateEnum": "payments.states.RefundState",
        },
        "POSTPROCESSING_HOOKS": [
            "drf_spectacular.hooks.postprocess_schema_enums",
            "bharatmart.api.schema.complete",
        ],
    }
