"""Hypothesis strategies that several rungs of properties share."""

from hypothesis import strategies as st
from reassort.identifiers import ALPHABET

symbols = st.sampled_from(ALPHABET)
numens = st.from_regex(r"[0-9]{2}[A-Z][0-9]{7}[A-Z]{3}", fullmatch=True)
# Everything that JSON can carry, lone surrogates and NUL included.
any_text = st.text(st.characters(codec=None), max_size=60)

# Letters from elsewhere that a change of case turns into letters of ASCII: ı, ſ, the Kelvin sign,
# the ligatures of f. Beyond the first two planes of Unicode no letter has a case.
FOLDING = tuple(
    symbol for symbol in map(chr, range(0x80, 0x20000)) if symbol.upper().isascii() or symbol.lower().isascii()
)
