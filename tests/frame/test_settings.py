"""How the settings refuse a wrong environment: all mistakes at once, in sentences that name the variable."""

import os
import re
import subprocess
import sys

from bharatmart.environment import BASE_DIR

PRODUCTION = {
    "SECRET_KEY": "a-long-random-string-for-this-test-0123456789-abcdefghijklmn",
    "ALLOWED_HOSTS": "shop.example",
    "DATABASE_URL": "postgresql://shop:secret@db.example/shop",
    "QUEUE_REDIS_URL": "redis://redis.example:6379/0",
    "WORKER_MODE": "rq",
    "PAYMENT_GATEWAY": "stripe",
    "STRIPE_SECRET_KEY": "sk_live_x",
    "STRIPE_PUBLISHABLE_KEY": "pk_live_x",
    "STRIPE_WEBHOOK_SECRETS": "whsec_x",
}


def check(**variables: str) -> subprocess.CompletedProcess[str]:
    """`manage.py check` with these variables and nothing else."""
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=BASE_DIR,
        env={"PATH": os.environ["PATH"], "BHARATMART_DOTENV": "0", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in PRODUCTION.items() if key != name}


def test_production_starts_with_its_variables() -> None:
    ended = check(**PRODUCTION)

    assert ended.returncode == 0, ended.stderr


def test_production_without_a_database_is_refused_with_a_sentence() -> None:
    ended = check(**without("DATABASE_URL"))

    assert ended.returncode == 1
    assert "DATABASE_URL: is not set; expected postgresql://user:password@host:port/name." in ended.stderr
    assert "Traceback" not in ended.stderr


def test_production_with_rq_without_redis_is_refused() -> None:
    ended = check(**without("QUEUE_REDIS_URL"))

    assert ended.returncode == 1
    assert "QUEUE_REDIS_URL: is not set" in ended.stderr


def test_production_without_a_key_is_refused() -> None:
    ended = check(**without("SECRET_KEY"))

    assert ended.returncode == 1
    assert "SECRET_KEY" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_another_database_than_postgresql_is_refused() -> None:
    ended = check(**{**PRODUCTION, "DATABASE_URL": "sqlite:///shop.sqlite3"})

    assert ended.returncode == 1
    assert "DATABASE_URL: expected postgresql://" in ended.stderr


def test_all_mistakes_are_told_at_once() -> None:
    wrong = {
        "DEBUG": "perhaps",
        "EMAIL_PORT": "70000",
        "QUEUE_WINDOW": "many",
        "WORKER_TYPE": "emails",
        "LOG_LEVEL": "LOUD",
        "THROTTLE_USER": "often",
        "WORKER_MODE": "rabbits",
    }

    ended = check(**{**PRODUCTION, **wrong})

    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert [name for name in wrong if f"  {name}: " not in ended.stderr] == []


def test_the_example_file_shows_every_variable() -> None:
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (BASE_DIR / "bharatmart" / "settings.py").read_text()))
    shown = set(re.findall(r"^(?:# )?([A-Z_]+)=", (BASE_DIR / ".env.example").read_text(), re.MULTILINE))

    assert read - shown == set()


def test_production_refuses_to_start_with_the_crash_points() -> None:
    ended = check(**PRODUCTION, DJANGO_SETTINGS_MODULE="tests.crash.settings")

    assert ended.returncode == 1
    assert "tests.crash kills processes at named points; only DEBUG=1 starts with it." in ended.stderr


def test_production_refuses_a_shifted_clock_and_development_takes_it() -> None:
    sentence = "QUEUE_CLOCK_SHIFT: shifts recurring jobs for tests; expected 0 without DEBUG."

    refused = check(**PRODUCTION, QUEUE_CLOCK_SHIFT="-3600")

    assert refused.returncode == 1
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr
    assert check(**PRODUCTION, QUEUE_CLOCK_SHIFT="0").returncode == 0
    assert check(**PRODUCTION, QUEUE_CLOCK_SHIFT="-3600", DEBUG="1").returncode == 0


def test_production_names_its_gateway() -> None:
    ended = check(**without("PAYMENT_GATEWAY"))

    assert ended.returncode == 1
    assert "PAYMENT_GATEWAY: is not set; expected one of simulated, stripe, razorpay." in ended.stderr


def test_half_of_a_providers_keys_is_refused_and_no_value_told() -> None:
    ended = check(**without("STRIPE_WEBHOOK_SECRETS"), RAZORPAY_KEY_ID="rzp_live_x")

    assert ended.returncode == 1
    for name in ("STRIPE_WEBHOOK_SECRETS", "RAZORPAY_KEY_SECRET", "RAZORPAY_WEBHOOK_SECRETS"):
        assert f"{name}: is not set, but other keys of" in ended.stderr
    assert not re.search("sk_live_x|rzp_live_x", ended.stderr)


def test_gateway_without_keys_or_unheard_of_is_refused() -> None:
    assert "PAYMENT_GATEWAY: is razorpay, but none of" in check(**{**PRODUCTION, "PAYMENT_GATEWAY": "razorpay"}).stderr
    assert "got 'paypol'" in check(**{**PRODUCTION, "PAYMENT_GATEWAY": "paypol"}).stderr
