"""Each guard still stands where its mutation takes it from, so that a change of its line is noticed at once."""

import pytest

from tests.mutations.guards import MUTATIONS, Mutation
from tests.processes import ROOT


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_guard_stands_in_its_file_once(mutation: Mutation):
    text = (ROOT / mutation.file).read_text()

    assert mutation.taken_from(text) != text
