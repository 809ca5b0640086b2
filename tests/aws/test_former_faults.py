"""Each fault that this template once had, put back into a copy of it: a rule says so, and
`cfn-lint` to anybody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.aws.test_rules import ROOT, said

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE, EDGE, DOCUMENT = "template.yaml", "edge.yaml", "openapi.gateway.json"


@dataclass(frozen=True)
class FormerFault:
    """A change of a file, as a pattern of regular expressions and what takes its place, and the
    rule that finds it.
    """

    name: str
    rule: str
    pattern: str
    replacement: str = ""
    file: str = TEMPLATE

    def put_back(self, folder: Path) -> Path:
        """Copy the repository by links, except the file that is changed; return the template."""
        for part in ROOT.iterdir():
            if part.name != self.file:
                (folder / part.name).symlink_to(part)
        text, count = re.subn(self.pattern, self.replacement, (ROOT / self.file).read_text("utf-8"), flags=re.MULTILINE)
        assert count, f"nothing to change: {self.pattern}"
        (folder / self.file).write_text(text, "utf-8")
        return folder / TEMPLATE


def _without(resource: str, line: str) -> str:
    """Return the pattern of a line of a resource, whose lines before it are kept as the group 1."""
    return rf"^(  {resource}:\n(?:    .*\n|\n|  #.*\n)*?) +{line}.*\n"


FAULTS = [
    FormerFault(
        "a header that CloudFront reserves", "E9001", "HeaderName: x-origin-secret", "HeaderName: x-edge-secret", EDGE
    ),
    FormerFault(
        "a keyword that the import does not support",
        "E9002",
        r'"schema": \{',
        '"schema": {"example": "7K3M9-QWX2T",',
        DOCUMENT,
    ),
    FormerFault(
        "a scheme taken for an API key", "E9003", r',\s+"x-amazon-apigateway-authtype": "awsSigv4"', "", DOCUMENT
    ),
    FormerFault("a second stage", "E9004", r"^ +OpenApiVersion: .*\n"),
    FormerFault("permissions for any stage", "E9204", r":\$\{Api\}/v1/\*/api/login\*", ":${Api}/*/*/api/login*"),
    FormerFault("a stage that calls what it called before", "E9005", r"^ +AlwaysDeploy: .*\n"),
    FormerFault("an API without a name", "E9206", r"^      Name: !Ref AWS::StackName\n(?=      StageName)"),
    FormerFault(
        "a title with accents", "E9206", r'"title": \{\s+"Ref": "AWS::StackName"\s+\}', '"title": "Réassort"', DOCUMENT
    ),
    FormerFault("a key that goes with its stack", "E9007", _without("VoterHashKey", "DeletionPolicy"), r"\1"),
    FormerFault("a key that a replacement deletes", "E9007", _without("EncryptionKey", "UpdateReplacePolicy"), r"\1"),
    FormerFault("a loop that Lambda stops", "E9008", r"^ +RecursiveLoop: Allow\n"),
    FormerFault(
        "a first deploy that cannot be rolled back",
        "E9107",
        r'(  DeletionProtection:\n    Type: String\n    Default: )"false"',
        r'\1"true"',
    ),
    FormerFault("a role for logs made twice", "E9009", _without("ApiGatewayAccount", "Condition"), r"\1"),
    FormerFault("a sender's domain made twice", "E9009", _without("SenderDomainIdentity", "Condition"), r"\1"),
    FormerFault("log groups of SMS made twice", "E9009", _without("SmsFailedLogs", "Condition"), r"\1"),
    FormerFault(
        "a missing page in XML",
        "E9015",
        r"^ +FunctionAssociations:\n( +- \{EventType: viewer-re(quest|sponse), FunctionARN: !GetAtt Missing.*\n)+",
        file=EDGE,
    ),
    FormerFault(
        "the site's page in place of the API's JSON",
        "E9015",
        r"\{ErrorCode: 404, ErrorCachingMinTTL: 0\}",
        "{ErrorCode: 404, ErrorCachingMinTTL: 0, ResponseCode: 404, ResponsePagePath: /404.html}",
        EDGE,
    ),
    FormerFault("an error of one voter answered to the next", "E9115", r"^ +- \{ErrorCode: 503, .*\n", file=EDGE),
    FormerFault("a secret that changes in place", "E9014", r"\$\{BlueSecret\}-", "", EDGE),
    FormerFault(
        "functions that fail at their start",
        "E9010",
        r"^  VotersHaveAnOrigin:\n(    .*\n)*",
    ),
    FormerFault(
        "a domain without its certificate",
        "E9010",
        r"^      - Assert: .*CertificateArn, \"\"\]\]\n.*DomainName needs.*\n",
    ),
    FormerFault("a certificate of any region", "E9210", r":acm:us-east-1:", ":acm:[a-z0-9-]+:"),
    FormerFault(
        "leading keys where a request spans tables",
        "E9111",
        r"^( +)(  Action: \[dynamodb:BatchGetItem, dynamodb:ConditionCheckItem\]\n"
        r" +Resource: !GetAtt ControlTable.Arn\n)",
        r"\1\2"
        r'\1  Condition: {"ForAllValues:StringLike": {dynamodb:LeadingKeys: ["control#*"]}, "Null": '
        r'{dynamodb:LeadingKeys: "false"}}\n',
    ),
    FormerFault("a condition that holds of nothing", "E9211", r'^ +"Null": \{dynamodb:LeadingKeys: "false"\}\n'),
    FormerFault(
        "a condition that SES does not document",
        "E9012",
        r'(Principal: \{Service: ses.amazonaws.com\}\n +Action: \[kms:Decrypt.*\n +Resource: "\*"\n)',
        r"\1            Condition: {StringEquals: {aws:SourceAccount: !Ref AWS::AccountId}}\n",
    ),
    FormerFault(
        "SMS without End User Messaging", "E9511", r"Action: sms-voice:SendTextMessage", "Action: sns:GetSMSAttributes"
    ),
    FormerFault("accents that may not survive", "E9102", r"\\\\u00e9", "é", DOCUMENT),
    FormerFault(
        "a rate that a spelling passes by", "E9304", r"\*as-the-gateway-reads", "[{Priority: 0, Type: NONE}]", EDGE
    ),
    FormerFault("a role that a whole account may take", "E9411", r"^ +Condition: \{ArnLike: \{aws:PrincipalArn: .*\n"),
]


@pytest.mark.req("A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10", "A11", "A12", "A14", "A15")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.rule}-{fault.name}")
def test_a_fault_that_was_mended_is_found_when_it_comes_back(fault: FormerFault, tmp_path: Path) -> None:
    assert said(fault.rule, fault.put_back(tmp_path))
