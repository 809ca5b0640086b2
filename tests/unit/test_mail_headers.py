"""What the headers of an e-mail say: from whom in words that every mail program reads, to whom an
answer goes, and that no person sent it.
"""

import re
from email import message_from_string
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notify.providers import mailbox

from harness.elections import IDS, read_election

ADDRESS = "vote@elections.example"
names = st.text(st.characters(blacklist_categories=("C", "Z")) | st.just(" "), min_size=1, max_size=120)


@pytest.mark.req("U12")
@given(names.filter(lambda name: not name.isascii() and name == " ".join(name.split())))
def test_sender_is_read_back_from_words_of_75_characters(name: str) -> None:
    written = mailbox(name, ADDRESS)
    assert "\n" not in written
    words, _, address = written.rpartition(" ")
    assert address == f"<{ADDRESS}>"
    assert all(len(word) <= 75 for word in words.split(" "))
    assert all(re.fullmatch(r"=\?utf-8\?[bq]\?[^? ]+\?=", word) for word in words.split(" "))
    assert str(make_header(decode_header(words))) == name


@pytest.mark.req("U12")
@pytest.mark.parametrize("election_id", IDS)
def test_sender_of_an_election_keeps_its_name(election_id: str) -> None:
    name = read_election(election_id).senders.email_name
    message = message_from_string(f"From: {mailbox(name, ADDRESS)}\n\n")
    assert str(make_header(decode_header(message["From"]))) == f"{name} <{ADDRESS}>"


def test_plain_name_stays_plain() -> None:
    assert mailbox("Assistance, vote", ADDRESS) == f'"Assistance, vote" <{ADDRESS}>'
