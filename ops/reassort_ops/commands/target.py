"""What the options of a command name: the stack, its election, its keyed hashes, a voter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reassort.addresses import AddressDomainError, AddressFormatError, mask_address, normalise_address
from reassort.caller_codes import is_code_of, normalise_caller_code
from reassort.clock import utc_now
from reassort.election import Election
from reassort.keyed_hash import HashKey, KeyedHash, derive_keyed_hash
from reassort.outbox import Channel
from reassort.references import normalise_reference

from reassort_ops.account.operator import Operator
from reassort_ops.account.stack import Aws, Stack
from reassort_ops.election_files import election_of
from reassort_ops.failures import OperatorError
from reassort_ops.voter.record import read_reissue

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


# What is shown of the address of a voter who is known by a reference that names none.
_UNKNOWN_ADDRESS = "•••"


@dataclass(frozen=True)
class FoundVoter:
    """A voter that an operator named. `masked_address` may be shown."""

    voter_id: str
    masked_address: str


@dataclass(frozen=True)
class Target:
    """The stack that the options name. Each part is looked up when it is first needed."""

    name: str
    elections: Path
    region: str | None
    profile: str | None

    @cached_property
    def aws(self) -> Aws:
        return Aws(self.profile, self.region)

    @cached_property
    def stack(self) -> Stack:
        return self.aws.find_stack(self.name)

    @cached_property
    def election(self) -> Election:
        return election_of(self.stack.election_id, self.elections)

    def keyed_hash(self, *keys: HashKey) -> KeyedHash:
        """Return the keyed hashes under these keys: an operator derives those that a command needs.

        Raises:
            botocore.exceptions.ClientError: AWS refuses.
        """
        found = {key: self.stack.hash_key_ids[key] for key in keys}
        return derive_keyed_hash(self.aws.kms(), found, self.stack.election_id)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return self.aws.dynamodb()

    def helpdesk(self) -> Operator:
        """Return what a change to a voter needs, in the operator's own name."""
        return Operator(self.dynamodb, self.stack, utc_now, self.aws.operator())

    def voter(self, typed: str) -> tuple[str, str]:
        """Return a voter's normalised address and pseudonym."""
        try:
            address = normalise_address(typed, self.election.domain_names)
        except AddressDomainError as error:
            domains = ", ".join(self.election.domain_names)
            raise OperatorError(f"the address is not of a domain of the election ({domains})") from error
        except AddressFormatError as error:
            raise OperatorError(f"the address is {error}") from error
        return address, self.keyed_hash(HashKey.VOTER).voter_id(address)

    def find(self, typed: str) -> FoundVoter:
        """Find a voter by an address, or by the reference of one of their reissues.

        Raises:
            OperatorError: it is neither, or nobody is known by that reference.
        """
        reference = None if "@" in typed else normalise_reference(typed)
        if reference is None:
            address, voter_id = self.voter(typed)
            return FoundVoter(voter_id, mask_address(address))
        delivery = read_reissue(self.dynamodb, self.stack, reference)
        return FoundVoter(delivery.voter_id, delivery.destinations.get(Channel.EMAIL, _UNKNOWN_ADDRESS))

    def is_caller(self, voter_id: str, typed: str) -> bool:
        """Tell whether a caller's code is one that the site shows to that voter now.

        Raises:
            OperatorError: it is not six digits.
        """
        code = normalise_caller_code(typed)
        if code is None:
            raise OperatorError("--caller-code takes the 6 digits that the caller reads from the site")
        idle_minutes = self.election.limits.session.idle_minutes
        return is_code_of(self.keyed_hash(HashKey.REISSUE), voter_id, code, utc_now(), idle_minutes)
