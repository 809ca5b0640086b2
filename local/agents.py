"""The people of the helpdesk on this machine: one for each group, with a password and a second
factor that everybody may know. Never on AWS.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore import UNSIGNED
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from local.aws import LocalAws

PASSWORD = "Demonstration-2018"  # noqa: S105
NAMES = {"agent": "camille.agent", "supervisor": "sacha.responsable", "auditor": "dominique.bureau"}
_STEP_SECONDS = 30


@dataclass(frozen=True)
class Agent:
    """Somebody who may sign in on this machine. `secret` is that of the second factor, in base
    32.
    """

    group: str
    name: str
    secret: str

    def as_json(self, at: float) -> dict[str, str]:
        """Give it as `/_local/agents` shows it, with the code of that moment (seconds since
        1970).
        """
        return {
            "group": self.group,
            "name": self.name,
            "password": PASSWORD,
            "secret": self.secret,
            "code": totp(self.secret, at),
        }


def totp(secret: str, at: float) -> str:
    """Return the code of a second factor (RFC 6238) at a moment in seconds since 1970."""
    mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", int(at // _STEP_SECONDS)), hashlib.sha1).digest()
    offset = mac[-1] & 0x0F
    return f"{(struct.unpack('>I', mac[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def anonymous(aws: LocalAws, service: str) -> Any:
    """Give a client that signs nothing, as a page has it."""
    return aws.client(service, config=Config(proxies={}, signature_version=UNSIGNED))


def make_agents(aws: LocalAws, outputs: Mapping[str, str], names: Mapping[str, str] = NAMES) -> list[Agent]:
    """Invite somebody for each group, and sign them in for the first time: `names` by group.

    The second factor is set up as a page does it on AWS, where nobody signs in without.
    """
    administrator, page = aws.client("cognito-idp"), anonymous(aws, "cognito-idp")
    pool, client = outputs["HelpdeskUserPoolId"], outputs["HelpdeskClientId"]
    agents = []
    for group, name in names.items():
        administrator.admin_create_user(
            UserPoolId=pool, Username=name, TemporaryPassword=f"{PASSWORD}-provisoire", MessageAction="SUPPRESS"
        )
        administrator.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=group)
        asked = page.initiate_auth(
            ClientId=client,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": f"{PASSWORD}-provisoire"},
        )
        signed_in = page.respond_to_auth_challenge(
            ClientId=client,
            ChallengeName="NEW_PASSWORD_REQUIRED",
            Session=asked["Session"],
            ChallengeResponses={"USERNAME": name, "NEW_PASSWORD": PASSWORD},
        )
        token = signed_in["AuthenticationResult"]["AccessToken"]
        secret = page.associate_software_token(AccessToken=token)["SecretCode"]
        page.verify_software_token(AccessToken=token, UserCode=totp(secret, time.time()))
        agents.append(Agent(group, name, secret))
    return agents
