"""Settings of BharatMart: read from the environment (and `.env`), all mistakes reported at once.

`.env.example` lists the variables. Durations are in seconds unless a name says otherwise.
"""

import os
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import django_stubs_ext
from environs import Env
from marshmallow import ValidationError
from marshmallow.validate import OneOf, Range, Regexp

from bharatmart.api.framework import rest_framework_settings, spectacular_settings
from bharatmart.database import with_timeouts
from bharatmart.environment import BASE_DIR, mistakes_in, read_dotenv, refuse_start_with
from bharatmart.framework import *  # noqa: F403
from bharatmart.log import logging_settings
from bharatmart.patterns import PATTERNS, are_patterns
from bharatmart.providers import mistakes_in_providers
from queues.settings import WORKER_TYPES, exponential, fixed, mode_named, rq_queues, tuned_by_environment, worker_mode
from queues.settings.redis_url import check as check_redis_url

django_stubs_ext.monkeypatch()  # ModelAdmin[Order] and the like, which Django itself cannot subscribe

env = Env(eager=False)
read_dotenv()
positive, not_negative = Range(min=0, min_inclusive=False), Range(min=0)
rate = Regexp(
    r"off|[1-9]\d{0,8}/(second|minute|hour|day)",
    error="expected off or a number per second, minute, hour or day, such as 600/minute; got {input!r}.",
)
web_address = Regexp(
    r"(https?://[^\s/?#@]+[^\s?#@]*)?\Z", error="expected an http or https address without user, query and fragment."
)
reset_link = Regexp(r"(https?://[^\s@]+\{key\}\S*)?\Z", error="expected an address with {{key}} in it; got {input!r}.")


def are_networks(networks: list[str]) -> None:
    """A mistake would open the house, so each must be exact: 10.1.2.0/24."""
    for network in networks:
        try:
            ip_network(network)
        except ValueError as error:
            raise ValidationError(f"expected networks such as 10.1.2.0/24; {error}.") from None


DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "development-only-" + "x" * 40 if DEBUG else None)
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])

# Servers. In development unset ones are started from wheels by manage.py (bharatmart/devservers).
_database_url = env.str("DATABASE_URL", "")
_database = env.dj_db_url("DATABASE_URL", conn_max_age=60, conn_health_checks=True) if _database_url else None
DATABASE_STATEMENT_TIMEOUT = env.float("DATABASE_STATEMENT_TIMEOUT", 30.0, validate=not_negative)  # 0: none
DATABASE_LOCK_TIMEOUT = env.float("DATABASE_LOCK_TIMEOUT", 10.0, validate=not_negative)
DATABASE_IDLE_TIMEOUT = env.float("DATABASE_IDLE_TIMEOUT", 10.0, validate=not_negative)  # inside a transaction
QUEUE_REDIS_URL = env.str("QUEUE_REDIS_URL", "")
WORKER_MODE = env.str("WORKER_MODE", "")
WORKER_TYPE = env.str("WORKER_TYPE", "all", validate=OneOf(["all", *WORKER_TYPES]))

# The shop.
PAYMENT_WINDOW = env.timedelta("PAYMENT_WINDOW", timedelta(hours=1))
SHOP_NAME = env.str("SHOP_NAME", "BharatMart")
SHOP_STATE = env.str("SHOP_STATE", "Karnataka")
SHOP_GSTIN = env.str("SHOP_GSTIN", "29AABCB1234M1Z5")
SHOP_ADDRESS = env.str("SHOP_ADDRESS", "12 MG Road, Bengaluru, Karnataka 560001")
REVIEW_WINDOW = env.timedelta("REVIEW_WINDOW", timedelta(days=4))  # Razorpay gives uncaptured money back after 5 days
REVIEW_ALARM = env.timedelta("REVIEW_ALARM", timedelta(days=1))
SUSPICIOUS_PATTERNS: Any = env.json("SUSPICIOUS_PATTERNS", PATTERNS, validate=are_patterns)
RETURN_WINDOW = env.timedelta("RETURN_WINDOW", timedelta(days=30))
REPORT_RECIPIENTS: list[str] = env.list("REPORT_RECIPIENTS", [])

# Payments (docs/payments.md). A provider is configured when all of its keys are set.
PAYMENT_GATEWAY = env.str("PAYMENT_GATEWAY", "simulated" if DEBUG else "")
PAYMENT_HOLD_ABOVE_PAISE = env.int("PAYMENT_HOLD_ABOVE_PAISE", 5_000_000, validate=Range(min=0))  # 0: never
SIMULATED_GATEWAY_URL = env.str("SIMULATED_GATEWAY_URL", "http://127.0.0.1:8900")
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", "")
STRIPE_PUBLISHABLE_KEY = env.str("STRIPE_PUBLISHABLE_KEY", "")
STRIPE_WEBHOOK_SECRETS: list[str] = env.list("STRIPE_WEBHOOK_SECRETS", [])
STRIPE_API_BASE = env.str("STRIPE_API_BASE", "")
RAZORPAY_KEY_ID = env.str("RAZORPAY_KEY_ID", "")
RAZORPAY_KEY_SECRET = env.str("RAZORPAY_KEY_SECRET", "")
RAZORPAY_WEBHOOK_SECRETS: list[str] = env.list("RAZORPAY_WEBHOOK_SECRETS", [])
RAZORPAY_API_BASE = env.str("RAZORPAY_API_BASE", "")
GATEWAY_TIMEOUT = env.float("GATEWAY_TIMEOUT", 10.0, validate=positive)
GATEWAY_BREAKER_FAILURES = env.int("GATEWAY_BREAKER_FAILURES", 10, validate=Range(min=1))
GATEWAY_BREAKER_PAUSE = env.float("GATEWAY_BREAKER_PAUSE", 30.0, validate=positive)

# Other systems; unset: off.
WAREHOUSE_URL = env.str("WAREHOUSE_URL", "", validate=web_address)
WAREHOUSE_TOKEN = env.str("WAREHOUSE_TOKEN", "")
WAREHOUSE_TIMEOUT = env.float("WAREHOUSE_TIMEOUT", 10.0, validate=positive)
ERP_URL = env.str("ERP_URL", "", validate=web_address)
ERP_SECRET = env.str("ERP_SECRET", "")
ERP_TIMEOUT = env.float("ERP_TIMEOUT", 10.0, validate=positive)
WEBHOOK_TIMEOUT = env.float("WEBHOOK_TIMEOUT", 10.0, validate=positive)
WEBHOOK_PATIENCE = env.timedelta("WEBHOOK_PATIENCE", timedelta(days=5))
WEBHOOK_NETWORKS: list[str] = env.list("WEBHOOK_NETWORKS", [], validate=are_networks)

# E-mail.
EMAIL_HOST = env.str("EMAIL_HOST", "localhost")
EMAIL_PORT = env.int("EMAIL_PORT", 25, validate=Range(1, 65535))
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = env.float("EMAIL_TIMEOUT", 10.0, validate=positive)
PASSWORD_RESET_URL = env.str("PASSWORD_RESET_URL", "", validate=reset_link)
PASSWORD_RESET_TIMEOUT = env.int("PASSWORD_RESET_TIMEOUT", 3600, validate=Range(min=60))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "BharatMart <shop@bharatmart.example>")
NOTIFICATION_LEASE = env.timedelta("NOTIFICATION_LEASE", timedelta(seconds=60))  # longer than the email queue's timeout

# Limits of the API over all web processes together: per caller, and per caller for some routes.
API_LIMITS = {
    "anonymous": env.str("THROTTLE_ANONYMOUS", "300/minute", validate=rate),
    "user": env.str("THROTTLE_USER", "600/minute", validate=rate),
    "POST /api/orders": env.str("THROTTLE_ORDERS", "120/minute", validate=rate),
}
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0, validate=Range(0, 10))

# The job engine (docs/queues.md explains each).
QUEUE_WINDOW = env.int("QUEUE_WINDOW", 10_000, validate=Range(min=1))
QUEUE_DELAYED_WINDOW = env.int("QUEUE_DELAYED_WINDOW", 10_000, validate=Range(min=1))
QUEUE_BROKER_DELAY = env.float("QUEUE_BROKER_DELAY", 60.0, validate=positive)
QUEUE_POLL = env.float("QUEUE_POLL", 1.0, validate=positive)
QUEUE_RECHECK = env.float("QUEUE_RECHECK", 10.0, validate=positive)
QUEUE_OVERDUE = env.float("QUEUE_OVERDUE", 5.0, validate=positive)
QUEUE_HEARTBEAT = env.float("QUEUE_HEARTBEAT", 5.0, validate=positive)
QUEUE_LEASE = env.float("QUEUE_LEASE", 30.0, validate=positive)
QUEUE_SWEEP = env.float("QUEUE_SWEEP", 10.0, validate=positive)
QUEUE_PRUNE = env.float("QUEUE_PRUNE", 300.0, validate=positive)
QUEUE_REPORT = env.float("QUEUE_REPORT", 1.0, validate=positive)
QUEUE_CHILD_PRELOAD = ["orders.invoices.credit_note_pdf"]  # modules that child processes share
QUEUE_CHILD_JOBS = env.int("QUEUE_CHILD_JOBS", 100, validate=positive)
QUEUE_CHILD_MEMORY = env.float("QUEUE_CHILD_MEMORY", 300.0, validate=positive)
QUEUE_GRACE = env.float("QUEUE_GRACE", 25.0, validate=positive)
QUEUE_DEADLINE_GRACE = env.float("QUEUE_DEADLINE_GRACE", 2.0, validate=positive)
QUEUE_CLOCK_SHIFT = env.float("QUEUE_CLOCK_SHIFT", 0.0)  # for tests of recurring jobs; needs DEBUG

MEDIA_ROOT = env.str("MEDIA_ROOT", str(BASE_DIR / "var" / "media"))
LOG_LEVEL = env.str("LOG_LEVEL", "INFO", validate=OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]))
LOG_FORMAT = env.str("LOG_FORMAT", "console" if DEBUG else "json", validate=OneOf(["console", "json"]))
HTTPS = env.bool("HTTPS", not DEBUG)

# Every queue on one screen; read and checked by queues/settings/queue.py.
QUEUES: dict[str, dict[str, Any]] = {
    "email": {"concurrency": 5, "attempts": 5, "backoff": exponential(1), "rate": "100/s", "timeout": 30},
    "order": {"concurrency": 10, "attempts": 3, "backoff": exponential(2), "timeout": 60},
    "payment": {"concurrency": 5, "attempts": 3, "backoff": fixed(5), "timeout": 60},
    "payment-webhook": {"concurrency": 20, "attempts": 5, "backoff": exponential(1), "timeout": 60},
    "payment-retry": {"concurrency": 3, "attempts": 3, "backoff": fixed(3600), "timeout": 60},
    "inventory-release": {"concurrency": 8, "attempts": 3, "backoff": exponential(2), "timeout": 30},
    "manual-review": {"concurrency": 1, "scope": "global", "attempts": 3, "backoff": exponential(5), "timeout": 30},
    "webhook-out": {"concurrency": 10, "attempts": 8, "backoff": exponential(10), "timeout": 60},
    "reports": {"concurrency": 2, "attempts": 2, "backoff": exponential(30), "timeout": 600, "cpu": True},
}
QUEUES, _queue_mistakes = tuned_by_environment(QUEUES, os.environ)


def _mistakes() -> list[str]:
    """Every wrong or missing variable, in a sentence each."""
    mistakes = [*mistakes_in(env), *_queue_mistakes, *mistakes_in_providers(globals())]
    if _database and _database.get("ENGINE") != "django.db.backends.postgresql":
        mistakes.append("DATABASE_URL: expected postgresql://user:password@host:port/name; got another database.")
    if ERP_URL and not ERP_SECRET:
        mistakes.append("ERP_SECRET: is not set, but ERP_URL needs it; expected a long random string.")
    try:
        worker_mode(WORKER_MODE, QUEUE_REDIS_URL)
    except ValueError as error:
        mistakes.append(f"WORKER_MODE: {error}")
    try:
        check_redis_url(QUEUE_REDIS_URL or "redis://unset")
    except ValueError as error:
        mistakes.append(f"QUEUE_REDIS_URL: {error}")
    if not DEBUG:
        if not SECRET_KEY and "SECRET_KEY" not in str(mistakes):
            mistakes.append("SECRET_KEY: is not set; expected a long random string.")
        if not _database_url:
            mistakes.append("DATABASE_URL: is not set; expected postgresql://user:password@host:port/name.")
        if (mode := mode_named(WORKER_MODE)) and mode.needs_redis_url and not QUEUE_REDIS_URL:
            needed = f"is not set, but WORKER_MODE={mode.name} needs it; expected redis://host:port/db."
            mistakes.append(f"QUEUE_REDIS_URL: {needed}")
        if QUEUE_CLOCK_SHIFT:
            mistakes.append("QUEUE_CLOCK_SHIFT: shifts recurring jobs for tests; expected 0 without DEBUG.")
    return mistakes


refuse_start_with(_mistakes(), debug=DEBUG)
WORKER_MODE = worker_mode(WORKER_MODE, QUEUE_REDIS_URL)
RQ_QUEUES = rq_queues(QUEUES, QUEUE_REDIS_URL)
RQ = {
    "WORKER_CLASS": "queues.management.rq.worker.Worker",
    "SCHEDULER_CLASS": "queues.management.rq.scheduler.Scheduler",
    "QUEUE_CLASS": "queues.brokers.rq.messages.MessageQueue",
    "COMMIT_MODE": "auto",
}
RQ_SHOW_ADMIN_LINK = False

DATABASES: dict[str, Any] = {
    "default": _database or {"ENGINE": "django.db.backends.postgresql", "NAME": "bharatmart", "HOST": "unset"}
}
with_timeouts(
    DATABASES["default"],
    statement=DATABASE_STATEMENT_TIMEOUT,
    lock=DATABASE_LOCK_TIMEOUT,
    idle_in_transaction=DATABASE_IDLE_TIMEOUT,
)

ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES

# allauth counts log-in attempts in the cache, so it has to be one for all web processes: PostgreSQL.
_cache = {"LOCATION": "api_cache", "OPTIONS": {"MAX_ENTRIES": 10_000}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", **_cache}}

REST_FRAMEWORK = rest_framework_settings(TRUSTED_PROXIES)
SPECTACULAR_SETTINGS = spectacular_settings(SHOP_NAME)
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576  # bytes of a request's body
LOGGING = logging_settings(LOG_LEVEL, LOG_FORMAT)

LANGUAGE_CODE = "en-in"
TIME_ZONE = "Asia/Kolkata"
USE_I18N = True
FORMAT_MODULE_PATH = "bharatmart.formats"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
MEDIA_URL = "/media/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "papers": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"allow_overwrite": True},  # invoices and credit notes
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG  # without DEBUG: what `collectstatic` has gathered

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^api/health"]  # load balancers ask without TLS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
X_FRAME_OPTIONS = "DENY"
