"""The code that `manage.py queues new-job` writes; ruff sorts its imports and wraps its lines."""

JOBS_FILE = '''\
"""The background jobs of {app}; each body is one call into a service."""
'''

JOB = '''

@job({options})
def {name}({parameters}) -> None:
    """{title}."""
    {call}({arguments})
'''

SERVICE_FILE = '''\
"""{title}."""
'''

SERVICE = '''

def {function}({parameters}) -> None:
    """{title}.

    It may be called twice for the same work, and has its effect once.
    """
    raise NotImplementedError("{service} is still to be written")
'''

TEST_OF_A_REACTION = '''\
"""The job {job}."""

import pytest

{imports}
from {module}.jobs import {name}
from queues.testing import assert_enqueued

pytestmark = pytest.mark.django_db


def test_{event}_leads_to_one_call_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    calls: list[tuple[object, ...]] = []
    monkeypatch.setattr("{target}", lambda *values: calls.append(values))

    # when
    {event}.emit({values})

    # then
    job = assert_enqueued({name}, {values})
    {name}(**job.args)
    assert calls == [({positional})]
'''

TEST_OF_A_JOB = '''\
"""The job {job}."""

import pytest

{imports}
from {module}.jobs import {name}
from queues.testing import drain

pytestmark = pytest.mark.django_db


def test_it_calls_its_service_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    calls: list[tuple[object, ...]] = []
    monkeypatch.setattr("{target}", lambda *values: calls.append(values))

    # when
    {name}.enqueue()

    # then
    assert drain(queue="{queue}") == 1
    assert calls == [()]
'''

TEST_OF_THE_STUB = '''

def test_the_service_is_still_to_be_written() -> None:
    """Fails as soon as the service does something: then say here what that is."""
    with pytest.raises(NotImplementedError):
        {call}({sample})
'''
