"""For nights: `make test ARGS="tests/queues/test_ledger_machine.py --hypothesis-profile long"`."""

from hypothesis import settings

from tests.examples import LONG

settings.register_profile(LONG, deadline=None)
