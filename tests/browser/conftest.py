from collections.abc import Iterator

import pytest

from harness.site.voter_space import DemoVoter, VoterSpace, demo_voters, running_voter_space


@pytest.fixture(scope="package")
def space() -> Iterator[VoterSpace]:
    with running_voter_space() as running:
        yield running


@pytest.fixture(scope="package")
def fresh_voters() -> Iterator[DemoVoter]:
    return iter(demo_voters())


@pytest.fixture
def voter(fresh_voters: Iterator[DemoVoter]) -> DemoVoter:
    """A voter of the demo roll whom no other test has touched."""
    return next(fresh_voters)
