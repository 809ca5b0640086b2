"""What is to be deployed, as the checks before a deploy are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reassort_ops.account.probes import NotSeenError
from reassort_ops.language import tr

if TYPE_CHECKING:
    from reassort.election import Election

    from reassort_ops.account.demand import Demand
    from reassort_ops.account.settings_file import Profile


@dataclass(frozen=True)
class Plan:
    """The settings, and what is known of the election and its roll. `election_fault` says why there
    is no election.
    """

    settings: Profile
    region: str
    election: Election | None
    election_fault: str
    demand: Demand | None

    def known_election(self) -> Election:
        """Return the election.

        Raises:
            NotSeenError: its file cannot be read; a check of its own says why.
        """
        if self.election is None:
            raise NotSeenError(tr("the election file cannot be read"))
        return self.election

    def known_demand(self) -> Demand:
        """Return what the roll asks for.

        Raises:
            NotSeenError: nobody has said how large the roll is.
        """
        self.known_election()
        if self.demand is None:
            raise NotSeenError(tr("the size of the roll is not known: add --voters N or --roll FILE"))
        return self.demand
