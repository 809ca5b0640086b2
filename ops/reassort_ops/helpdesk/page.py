"""What the helpdesk's page must know of its stack: its `config.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reassort_ops.failures import OperatorError
from reassort_ops.language import tr

if TYPE_CHECKING:
    from reassort_ops.account.stack import Stack

# CloudFront hands on to the API what comes here, without this prefix.
API_VIA = "/helpdesk-api"


def page_config(stack: Stack, region: str) -> dict[str, Any]:
    """Return the content of `config.json`. Nothing of it is secret.

    A stack with a domain has its API behind the same origin as the page (`api_via`): requests are
    signed for `api_url` and sent there.

    Raises:
        OperatorError: the stack has no domain, and so no place for the page.
    """
    if not stack.helpdesk_url:
        raise OperatorError(
            tr("stack {stack} has no DomainName, so its page has no place and its API no firewall", stack=stack.name)
        )
    return {
        "region": region,
        "api_url": stack.api_url,
        "api_via": API_VIA,
        "user_pool_id": stack.helpdesk_users,
        "client_id": stack.helpdesk_client,
        "identity_pool_id": stack.helpdesk_identities,
    }
