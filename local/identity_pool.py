"""What an identity pool of AWS does and the embedded one does not: it gives somebody the role of
their group, and nobody without a group any.

The embedded AWS gives one role to anyone who has signed in. So that role is set to the one of the
group before each call for credentials, one call at a time. It checks the token itself.
"""

from __future__ import annotations

import base64
import binascii
import json
from threading import Lock
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from local.aws import LocalAws

_ONE_AT_A_TIME = Lock()
_REFUSED = {
    "Error": {
        "Code": "NotAuthorizedException",
        "Message": "Token is not from a supported provider of this identity pool.",
    }
}


class IdentityPool:
    """The identity pool of a stack's helpdesk on the embedded AWS."""

    def __init__(self, aws: LocalAws, pool: str, user_pool: str) -> None:
        self._identities, self._users = aws.client("cognito-identity"), aws.client("cognito-idp")
        self._pool, self._user_pool = pool, user_pool
        self.provider = f"cognito-idp.{aws.region}.amazonaws.com/{user_pool}"

    def credentials(self, identity: str, logins: dict[str, str]) -> dict[str, Any]:
        """Return what `GetCredentialsForIdentity` answers on AWS; `Expiration` in seconds.

        Raises:
            botocore.exceptions.ClientError: the token is refused, or its owner is in no group.
        """
        role = self._role(logins.get(self.provider, ""))
        if role is None:
            raise ClientError(_REFUSED, "GetCredentialsForIdentity")  # type: ignore[arg-type]
        with _ONE_AT_A_TIME:
            self._give(role)
            try:
                answer = self._identities.get_credentials_for_identity(IdentityId=identity, Logins=logins)
            finally:
                self._give(None)
        keys = answer["Credentials"]
        return {**answer, "Credentials": {**keys, "Expiration": keys["Expiration"].timestamp()}}

    def _give(self, role: str | None) -> None:
        mappings = self._identities.get_identity_pool_roles(IdentityPoolId=self._pool).get("RoleMappings", {})
        roles = {} if role is None else {"authenticated": role}
        self._identities.set_identity_pool_roles(IdentityPoolId=self._pool, Roles=roles, RoleMappings=mappings)

    def _role(self, token: str) -> str | None:
        """Return the role of the token's group that comes first, as Cognito writes it into
        `cognito:preferred_role`.
        """
        try:
            part = token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        except (IndexError, ValueError, binascii.Error):
            return None
        groups = self._users.list_groups(UserPoolId=self._user_pool)["Groups"]
        held = [group for group in groups if group["GroupName"] in claims.get("cognito:groups", ())]
        return min(held, key=lambda group: group["Precedence"])["RoleArn"] if held else None
