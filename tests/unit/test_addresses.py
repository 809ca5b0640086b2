"""Professional addresses: one spelling each, only the election's domains, shown masked."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reassort.addresses import AddressDomainError, AddressFormatError, mask_address, normalise_address, read_address

from harness.elections import read_election
from harness.fuzz.strategies import any_text

DOMAINS = read_election("dijon-2018").domain_names
local_parts = st.from_regex(r"[a-z0-9]{1,10}([.-][a-z0-9]{1,10}){0,3}", fullmatch=True)


@given(local_parts, st.sampled_from(DOMAINS), st.sampled_from([str.lower, str.upper, str.title]))
def test_case_and_blanks_around_do_not_matter(local_part: str, domain: str, fold: Callable[[str], str]) -> None:
    address = f"{local_part}@{domain}"
    assert normalise_address(f"  {fold(address)}\t\u00a0", DOMAINS) == address


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "claire.martin",
        "@ac-dijon.fr",
        "claire@",
        "claire@martin@ac-dijon.fr",
        "claire..martin@ac-dijon.fr",
        ".claire@ac-dijon.fr",
        "claire martin@ac-dijon.fr",
        '"claire martin"@ac-dijon.fr',
        "claire.martin@ac-dijon.fr\x00",
        "claire.martin@ac-dijon.fr\nBcc: x@y.fr",
        "claire\r\n@ac-dijon.fr",
        "clàire@ac-dijon.fr",
        "claire@ac-dijon。fr",
        "claire@аc-dijon.fr",
        "\u212alaire@ac-dijon.fr",
        "c" * 65 + "@ac-dijon.fr",
        "claire@[192.0.2.1]",
        "claire,paul@ac-dijon.fr",
        "claire.martin@ac-dijon.fr>",
    ],
)
def test_what_is_no_address_of_a_professional_mailbox_is_refused(typed: str) -> None:
    with pytest.raises((AddressFormatError, AddressDomainError)) as refusal:
        normalise_address(typed, DOMAINS)
    assert not typed or typed not in str(refusal.value)


def test_an_address_is_as_long_as_mail_permits() -> None:
    """RFC 5321, section 4.5.3.1: 64 octets of local part, 254 in all."""
    local_part, domain = "c" * 64, "d" * 186 + ".fr"
    address = f"{local_part}@{domain}"
    assert len(address) == 254
    assert read_address(address) == address
    for longer in (f"c{local_part}@ac-dijon.fr", f"{local_part}@d{domain}"):
        with pytest.raises(AddressFormatError):
            read_address(longer)


@pytest.mark.parametrize(
    "domain", ["gmail.com", "ac-dijon.fr.example.com", "sub.ac-dijon.fr", "xac-dijon.fr", "ac-lyon.fr"]
)
def test_other_domains_are_refused(domain: str) -> None:
    with pytest.raises((AddressFormatError, AddressDomainError)):
        normalise_address(f"claire.martin@{domain}", DOMAINS)


@pytest.mark.req("S29")
@given(any_text | st.builds("{}@ac-dijon.fr".format, any_text))
def test_arbitrary_text_is_an_address_or_refused(typed: str) -> None:
    try:
        address = normalise_address(typed, DOMAINS)
    except (AddressFormatError, AddressDomainError):
        return
    assert address.isascii()
    assert address.isprintable()
    assert " " not in address
    assert address.endswith(tuple(f"@{domain}" for domain in DOMAINS))
    assert normalise_address(address, DOMAINS) == address


def test_mask_shows_one_letter_and_the_domain() -> None:
    assert mask_address("claire.martin@ac-dijon.fr") == "c•••@ac-dijon.fr"
