"""States, changes and outcomes as the screen says them: the words of programs, in the language of
the run.
"""

from __future__ import annotations

from reassort_ops.language import in_english, tr

_WORDS = {
    in_english(word): word
    for word in (
        # Of an identifier and of a voter.
        tr("active"),
        tr("revoked"),
        tr("used"),
        tr("frozen"),
        tr("unknown"),
        # What the register records.
        tr("issued"),
        tr("reissued"),
        tr("voted"),
        tr("unfrozen"),
        tr("unlocked"),
        tr("corrected"),
        tr("disputed"),
        tr("departed"),
        tr("arrived"),
        tr("removed"),
        tr("restored"),
        tr("opened"),
        tr("closed"),
        tr("prolonged"),
        # What became of a row, or of a voter that was named.
        tr("imported"),
        tr("unchanged"),
        tr("updated"),
        tr("moved"),
        tr("changed"),
        tr("rejected"),
        tr("refused"),
        # Reissues.
        tr("open"),
        tr("stopped"),
        tr("not open yet"),
        # What waits, and by which way.
        tr("code"),
        tr("reissue"),
        tr("canary"),
        tr("sms"),
        tr("email"),
        tr("identifier"),
        tr("confirmation"),
        tr("alert"),
        # Tables, and what is in them.
        tr("voters"),
        tr("identifiers"),
        tr("NUMENs"),
        tr("NUMEN"),
        tr("codes"),
        tr("control"),
        tr("deliveries"),
        tr("register"),
        tr("helpdesk's record"),
        tr("limits"),
        tr("sign-in"),
        tr("voter"),
        tr("look or act"),
        tr("challenge"),
        tr("session"),
        tr("phone"),
        tr("pace"),
        tr("other"),
        tr("metrics"),
    )
}


def state_word(word: str) -> str:
    """Return a word of programs as the screen says it; one that is not known as it is."""
    return _WORDS.get(word, word)
