"""What the headers of an e-mail say: from whom in words that every mail program reads, to whom an
answer goes, and that no person sent it.
"""

import re
from email import message_from_string
from email.header import decode_header, make_header
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notify.providers import Providers, mailbox
from notify.texts import Email

from harness.elections import IDS, election_content, read_election

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


@pytest.mark.req("U12")
@pytest.mark.parametrize("mailbox_of_helpdesk", ["assistance@ac-dijon.fr", None])
def test_answer_goes_to_the_helpdesk_and_never_from_a_machine(mailbox_of_helpdesk: str | None) -> None:
    helpdesk = {**election_content("dijon-2018")["helpdesk"], "email": mailbox_of_helpdesk}
    ses = Mock(send_email=Mock(return_value={"MessageId": "1"}))
    Providers(
        ses=ses,
        sns=Mock(),
        election=read_election("dijon-2018", helpdesk=helpdesk),
        sender_domain="elections.example",
        configuration_set="messages",
        helpdesk_topic="topic",
    ).send_email("claire.martin@ac-dijon.fr", Email("Réémission", "été", "<p>été</p>"), {})
    sent = ses.send_email.call_args.kwargs
    assert sent["ReplyToAddresses"] == ([mailbox_of_helpdesk] if mailbox_of_helpdesk else [])
    assert sent["Content"]["Simple"] == {
        "Subject": {"Data": "Réémission", "Charset": "UTF-8"},
        "Body": {
            "Text": {"Data": "été", "Charset": "UTF-8"},
            "Html": {"Data": "<p>été</p>", "Charset": "UTF-8"},
        },
        # RFC 3834: an answering machine does not answer.
        "Headers": [{"Name": "Auto-Submitted", "Value": "auto-generated"}],
    }
