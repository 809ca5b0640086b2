"""The voting identifier: random symbols of an alphabet that is easy to dictate, a check symbol,
shown in groups.
"""

import secrets

from reassort.election import IdentifierFormat
from reassort.pasted import compact

# No 0/O, 1/I, L or U: nothing to confuse on paper, on the phone or in a small font.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUE = {symbol: value for value, symbol in enumerate(ALPHABET)}


def generate_identifier(shape: IdentifierFormat) -> str:
    """Draw an identifier from the system's CSPRNG, each symbol uniform, and return it as voters see
    it.
    """
    symbols = spell(secrets.randbelow(len(ALPHABET) ** shape.symbols), shape.symbols)
    return show_identifier(symbols + check_symbol(symbols), shape)


def spell(number: int, length: int) -> str:
    """Write a number as that many symbols of the alphabet, the last digit first; what it has beyond
    them is dropped.
    """
    symbols = []
    for _ in range(length):
        number, value = divmod(number, len(ALPHABET))
        symbols.append(ALPHABET[value])
    return "".join(symbols)


def show_identifier(identifier: str, shape: IdentifierFormat) -> str:
    """Group a normalised identifier: `7K3M-9QWX-2TBD-HV5Z`."""
    return "-".join(identifier[start : start + shape.group] for start in range(0, len(identifier), shape.group))


def normalise_identifier(typed: str) -> str:
    """Drop blanks, hyphens and unseen marks and fold to upper case, as a voter may type it."""
    return upper_ascii(compact(typed))


def upper_ascii(text: str) -> str:
    """Fold the letters of ASCII to upper case. `str.upper` makes ASCII of some from elsewhere
    (U+017F, U+FB00).
    """
    if text.isascii():
        return text.upper()
    return "".join(symbol.upper() if symbol.isascii() else symbol for symbol in text)


def is_well_formed(identifier: str, shape: IdentifierFormat) -> bool:
    """Tell whether a normalised identifier has the election's length, the alphabet and the right
    check symbol.
    """
    return (
        len(identifier) == shape.symbols + 1
        and all(symbol in _VALUE for symbol in identifier)
        and check_symbol(identifier[:-1]) == identifier[-1]
    )


def check_symbol(symbols: str) -> str:
    """Return the Luhn mod N check symbol: finds every single wrong symbol and nearly every swap of
    neighbours.

    Raises:
        KeyError: a symbol is not in the alphabet.
    """
    size = len(ALPHABET)
    total = 0
    for position, symbol in enumerate(reversed(symbols)):
        addend = _VALUE[symbol] * (2 if position % 2 == 0 else 1)
        total += addend // size + addend % size
    return ALPHABET[-total % size]
