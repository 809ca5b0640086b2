"""SNS writes whole phone numbers into its log of SMS; the template masks them there, wherever that
log is read.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from harness.engines.template import read_template

GROUPS = ("SmsDeliveredLogs", "SmsFailedLogs")


def _policy(group: str) -> dict[str, Any]:
    policy: dict[str, Any] = read_template()["Resources"][group]["Properties"]["DataProtectionPolicy"]
    return policy


@pytest.mark.req("S23", "I7")
@pytest.mark.parametrize("group", GROUPS)
def test_policy_masks_what_it_names(group: str) -> None:
    """CloudWatch wants both statements, on the same identifiers, which the policy itself
    defines.
    """
    policy = _policy(group)
    defined = {identifier["Name"] for identifier in policy["Configuration"]["CustomDataIdentifier"]}
    find, mask = policy["Statement"]
    assert set(find["DataIdentifier"]) == set(mask["DataIdentifier"]) == defined
    assert "Audit" in find["Operation"]
    assert mask["Operation"] == {"Deidentify": {"MaskConfig": {}}}


@pytest.mark.req("S23", "I7")
@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("number", ["+33612345678", "+33700000000", "+262692123456", "+590690123456", "+687751234"])
def test_policy_finds_every_number_that_is_accepted(group: str, number: str) -> None:
    (identifier,) = _policy(group)["Configuration"]["CustomDataIdentifier"]
    line = f'{{"delivery":{{"destination":"{number}","priceInUSD":0.07}}}}'
    assert re.sub(identifier["Regex"], "*", line) == '{"delivery":{"destination":"*","priceInUSD":0.07}}'


@pytest.mark.req("S23")
@pytest.mark.parametrize("group", GROUPS)
def test_log_is_encrypted_and_short_lived(group: str) -> None:
    properties = read_template()["Resources"][group]["Properties"]
    assert properties["RetentionInDays"] == 1
    assert properties["KmsKeyId"] == {"Fn::GetAtt": "EncryptionKey.Arn"}
