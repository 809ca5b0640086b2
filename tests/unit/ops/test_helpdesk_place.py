"""Where a command calls the helpdesk's API: what it signs for, and what it goes through."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.credentials import Credentials
from reassort_ops.commands import target
from reassort_ops.failures import OperatorError

API = "https://abcdef.execute-api.eu-west-3.amazonaws.com/v1"
PAGE = "https://assistance.example.fr/"
MINE = Credentials("AKIA", "secret")

pytestmark = pytest.mark.req("S26")


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A stack without a domain on AWS, and who asks."""
    account = SimpleNamespace(page="", stands_in=None, credentials=MINE, region="eu-west-3")

    def aws(profile: str | None, region: str | None) -> Any:
        assert (profile, region) == ("bureau", "eu-west-3")
        session = SimpleNamespace(get_credentials=lambda: account.credentials, region_name=account.region)
        stack = SimpleNamespace(api_url=API, helpdesk_url=account.page)
        return SimpleNamespace(find_stack=lambda _: stack, elsewhere=lambda: account.stands_in, session=session)

    monkeypatch.setattr(target, "Aws", aws)
    return account


@pytest.mark.parametrize(
    ("page", "stands_in", "url", "via"),
    [
        ("", None, API, None),
        (PAGE, None, API, f"{PAGE}helpdesk-api"),
        ("", "http://127.0.0.1:4566", "http://127.0.0.1:4566/_aws/execute-api/abcdef/v1", None),
        (PAGE, "http://127.0.0.1:4566/", "http://127.0.0.1:4566/_aws/execute-api/abcdef/v1", None),
    ],
    ids=["on AWS", "behind CloudFront", "on what stands in for AWS", "there with a page"],
)
def test_each_stack_is_called_where_it_answers(
    account: SimpleNamespace, page: str, stands_in: str | None, url: str, via: str | None
) -> None:
    account.page, account.stands_in = page, stands_in
    api = target.helpdesk_api("reassort", "eu-west-3", "bureau")
    assert (api.url, api.via, api.region, api.credentials) == (url, via, "eu-west-3", MINE)


def test_nobody_calls_without_credentials(account: SimpleNamespace) -> None:
    account.credentials = None
    with pytest.raises(OperatorError, match="no AWS credentials: sign in, or name a profile with --profile"):
        target.helpdesk_api("reassort", "eu-west-3", "bureau")
