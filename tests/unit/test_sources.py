"""Where a request comes from: only the trusted hop is believed."""

import pytest
from reassort.sources import EDGE_KEY_HEADER, read_source

KEY = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
CLOUDFRONT = "198.51.100.7"
VOTER = "203.0.113.24"


def source(forwarded: str, *, peer: str = CLOUDFRONT, given: str | None = KEY, key: str = KEY) -> str:
    headers = {"x-forwarded-for": forwarded}
    if given is not None:
        headers[EDGE_KEY_HEADER] = given
    return read_source(headers, peer, key)


@pytest.mark.req("S27")
def test_address_is_the_one_that_the_trusted_hop_saw() -> None:
    assert source(f"{VOTER}, {CLOUDFRONT}") == VOTER
    # An API Gateway that does not append its own peer.
    assert source(VOTER) == VOTER


@pytest.mark.req("S27")
@pytest.mark.parametrize("claimed", ["10.0.0.1", "10.0.0.1, 10.0.0.2", VOTER, "", "nonsense", "::1"])
def test_what_a_client_claims_comes_before_and_is_not_believed(claimed: str) -> None:
    assert source(f"{claimed}, {VOTER}, {CLOUDFRONT}") == VOTER


@pytest.mark.req("S27")
@pytest.mark.parametrize("given", [None, "", "wrong", KEY.upper(), KEY + " ", "é", "\ud800"])
def test_without_the_key_only_the_peer_counts(given: str | None) -> None:
    """Somebody speaks to API Gateway's own address, and says whatever they like."""
    assert source(f"{VOTER}, {CLOUDFRONT}", peer="192.0.2.9", given=given) == "192.0.2.9"


@pytest.mark.req("S27")
def test_without_a_hop_in_front_no_header_is_believed() -> None:
    assert source(VOTER, peer="192.0.2.9", given="", key="") == "192.0.2.9"


@pytest.mark.req("S27", "S13")
@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("2001:db8:1:2:3:4:5:6", "20010db800010002/64"),
        ("2001:db8:1:2:ffff::1", "20010db800010002/64"),
        ("2001:DB8:1:3::", "20010db800010003/64"),
        ("::ffff:203.0.113.24", VOTER),
        ("203.0.113.024", "unknown"),
        ("203.0.113.24:443", "unknown"),
        ("fe80::1%eth0", "unknown"),
        ("", "unknown"),
        ("\x00", "unknown"),
        ("\ud800", "unknown"),
    ],
)
def test_one_network_of_ipv6_is_one_source_and_what_is_no_address_is_another(address: str, network: str) -> None:
    assert source(address) == network
