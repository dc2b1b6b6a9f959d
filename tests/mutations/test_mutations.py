"""Each guard is taken away once, in a copy of the project: the test that is named for it turns red."""

from collections.abc import Iterator

import pytest

from tests.mutations.copy import LONGEST_WHOLE_RUN, Copy
from tests.mutations.guards import MUTATIONS, Mutation

pytestmark = [pytest.mark.thorough, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    copy = Copy(tmp_path_factory.mktemp("mutations") / "project")
    yield copy
    copy.remove()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_guard_is_missed_by_its_test(copy: Copy, mutation: Mutation):
    with copy.without(mutation):
        outcome = copy.run(mutation.test)

    name = mutation.test.rpartition("::")[2]
    assert (outcome.code, list(outcome.failures)) == (1, [name]), outcome.output
    assert mutation.red in outcome.failures[name], outcome.failures[name]
    assert "error outside" not in outcome.failures[name]


def test_copy_with_all_its_guards_passes_the_same_tests(copy: Copy):
    tests = {mutation.test for mutation in MUTATIONS}

    outcome = copy.run(*tests, within=LONGEST_WHOLE_RUN)

    assert outcome.code == 0, outcome.output
    assert len(outcome.failures) == len(tests)
