"""What is wrong with an election file, in the language of the run.

The file's own rules say it in English (`reassort.election_file`), one fault a line: file, field,
reason. Functions know neither gettext nor its catalogue, so their sentences are marked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from reassort.election import ElectionFileError

from reassort_ops.language import filled, in_english, joined, tr

# A value stands where a name in braces does.
SENTENCES = (
    tr('a colour such as "#4b2a7b", in quotes'),
    tr("a date has no min_length and no max_length"),
    tr("a domain is listed twice"),
    tr("a mailbox in lower case, such as assistance@ac-dijon.fr"),
    tr("a mailbox in lower case, such as sonde@ac-dijon.fr"),
    tr("a network is written with its length, such as 192.0.2.0/24"),
    tr("a text needs min_length and max_length"),
    tr("at most 40 letters without accents, digits, blanks and . ' -"),
    tr("canaries.targets lists a domain twice"),
    tr("canaries.targets: handset of {domain}: its E.164 form is another one"),
    tr("canaries.targets: handset of {domain}: not a mobile number ({code})"),
    tr("canaries.targets: {name} is not one of the domains"),
    tr("closes before it opens"),
    tr("defects must be listed: {why}"),
    tr("defects must not be listed: {why}"),
    tr("deliveries_days must not be greater than roll_days"),
    tr("ends before it starts"),
    tr("every_minutes must divide an hour"),
    tr("example {example} is not an address of {domain}"),
    tr("helpdesk_after must be greater than lock_after"),
    tr("hours overlap: {one} and {following}"),
    tr("is not of the form: {form}"),
    tr("is not permitted here: is it misspelt?"),
    tr("is required and missing"),
    tr("late_after_minutes must be less than every_minutes"),
    tr("lower-case letters, digits and hyphens, 2 to 40 of them"),
    tr("mailbox must be an address of {domain}"),
    tr("max_length must not be less than min_length"),
    tr("must be a date and time such as 2018-12-06T17:00"),
    tr("must be a date such as 2018-12-06"),
    tr("must be a list: one entry a line, each after a hyphen, or [one, other]"),
    tr('must be a number such as "0.10"'),
    tr('must be a text (a string), in quotes if it looks like a number: "0.10"'),
    tr("must be a time such as 17:00"),
    tr("must be a whole number (an integer)"),
    tr("must be a whole number (an integer) within reason"),
    tr("must be at least {ge}"),
    tr("must be at most {le}"),
    tr("must be more than {gt}"),
    tr("must be {expected}"),
    tr("must have at least {min_length} characters"),
    tr("must have at least {min_length} entries"),
    tr("must have at most {decimal_places} decimal places"),
    tr("must have at most {max_length} characters"),
    tr("must have at most {max_length} entries"),
    tr("must have members, one an indented line"),
    tr("needs a mailbox, a handset or both"),
    tr("no election of that name was built into the layer"),
    tr("not UTF-8"),
    tr("not YAML"),
    tr("not an election file"),
    tr("not of the kind that its tag says"),
    tr("register_days must not be less than roll_days"),
    tr("status must be {earned}: {why}"),
    tr("that it must have"),
    tr("the audit found that {rate} % of the criteria are met"),
    tr("there is no audit"),
    tr("watch.used_codes.floor must be greater than limits.code.bucket and reserve together"),
    tr("watch.wrong_codes.floor must be greater than limits.code.tries"),
    tr("watch.wrong_numens.floor must be greater than limits.numen.helpdesk_after"),
    tr("what stands before the @ of an address, in lower case"),
    tr("windows.reissue closes after windows.voting"),
    tr("windows.{name} closes before it opens"),
    tr("{name} is a date without an hour: {text} has one"),
    tr("{name} is not a date and time such as 2018-12-06T17:00"),
    tr("{value} is not a lower-case mail domain"),
    tr(
        "{value} is not a telephone number as voters dial it: 03.80.44.89.96, 0 800 123 456, 0262 12 34 56, "
        "27 12 34 or +687 27 12 34"
    ),
    tr("{value} is not an IANA time zone"),
    tr("{value} is not an address that begins with https://, with a lower-case host"),
    tr("{value} is not of the form 08:00-12:30"),
    tr("{value} is there twice"),
    tr("+ and the country code, such as +33612345678"),
    tr("3 to 11 letters and digits without accents, a letter first"),
    tr("id: holds the election {election}, not {stem}: a file is named after its id"),
    tr("No such file or directory"),
    tr("Permission denied"),
    tr("Is a directory"),
)
_UNREADABLE = tr("this line is not YAML: check its blanks, hyphens, colons and quotes")


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", in_english(sentence))
    return re.compile("".join(f"(?P<{part}>.+)" if odd % 2 else re.escape(part) for odd, part in enumerate(parts)))


# Those that begin with a value fit more than they should, so they come last.
_PATTERNS = sorted(
    ((_pattern(one), one) for one in SENTENCES), key=lambda pair: (in_english(pair[1]).startswith("{"), -len(pair[1]))
)


def election_fault(error: ElectionFileError) -> str:
    """Say all that is wrong, in one line."""
    return joined("; ", map(_line, str(error).splitlines()))


def said(reason: str) -> str | None:
    """Return a reason in the language of the run; None for one that is not of the file's rules."""
    for pattern, sentence in _PATTERNS:
        if found := pattern.fullmatch(reason):
            return filled(sentence, **{name: said(value) or value for name, value in found.groupdict().items()})
    return None


def _line(line: str) -> str:
    for place, reason in _readings(line):
        if (told := said(reason)) is not None:
            return tr("{place}: {reason}", place=place, reason=told) if place else told
    # YAML's own words for what it cannot read.
    at = re.match(r".*\.yaml:\d+(?=: )", line)
    return tr("{place}: {reason}", place=at[0], reason=_UNREADABLE) if at else line


def _readings(line: str) -> Iterator[tuple[str, str]]:
    """Give the ways to part a line into a place and a reason, the shortest place first."""
    yield "", line
    for at in re.finditer(": ", line):
        yield line[: at.start()], line[at.end() :]
