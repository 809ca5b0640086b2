"""Where a request comes from: only the trusted hop is believed."""

import pytest
from reassort.client_network import NO_HEADER, read_source

HEADER = "x-viewer-address"
CLOUDFRONT = "198.51.100.7"
VOTER = "203.0.113.24"
CLAIMS = {
    "x-forwarded-for": "10.0.0.1",
    "forwarded": "for=10.0.0.1",
    "x-real-ip": "10.0.0.1",
    "client-ip": "10.0.0.1",
    "true-client-ip": "10.0.0.1",
    "cloudfront-viewer-address": "10.0.0.1:443",
}


@pytest.mark.req("S27")
def test_address_is_the_one_that_the_trusted_hop_wrote() -> None:
    assert read_source({**CLAIMS, HEADER: VOTER}, CLOUDFRONT, HEADER) == VOTER


@pytest.mark.req("S27")
def test_without_a_hop_in_front_no_header_is_believed() -> None:
    assert read_source({**CLAIMS, HEADER: VOTER}, "192.0.2.9") == "192.0.2.9"


@pytest.mark.req("S27")
def test_name_that_stands_for_no_header_can_be_none() -> None:
    """RFC 9110 section 5.6.2: a field name is a token."""
    assert set(NO_HEADER) & set('()<>@,;:"/[]?={} ')


@pytest.mark.req("S27", "S13")
@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("2001:db8:1:2:3:4:5:6", "20010db80001/48"),
        ("2001:db8:1:2:ffff::1", "20010db80001/48"),
        ("2001:DB8:1:3::", "20010db80001/48"),
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
    assert read_source({HEADER: address}, CLOUDFRONT, HEADER) == network
