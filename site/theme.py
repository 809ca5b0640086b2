"""The colours of the site: the tokens of `styles/theme.css`, those of an election in their place,
and their contrast.

Contrast is that of WCAG 2.2, between two colours `#rrggbb`: from 1 (the same) to 21 (black on
white).
"""

import math
import re
from collections.abc import Mapping

type Palette = dict[str, str]

SCHEMES = ("light", "dark")
TEXT = 4.5
PART = 3.0
_TINTS = ("brand-tint", "error-tint", "warning-tint", "success-tint")
# What `styles/style.css` puts on what: the least contrast, the colour in front, those behind it
# (WCAG 2.2, 1.4.3 and 1.4.11).
PAIRS: tuple[tuple[float, str, tuple[str, ...]], ...] = (
    (TEXT, "text", ("page", "surface", *_TINTS)),
    (TEXT, "text-soft", ("page", "surface", *_TINTS)),
    (TEXT, "link", ("page", "surface", *_TINTS)),
    (TEXT, "brand", ("surface", "brand-tint")),
    (PART, "brand", ("error-tint", "warning-tint")),
    (TEXT, "brand-dark", ("surface", "brand-tint")),
    (TEXT, "on-brand", ("brand", "brand-dark")),
    # Buttons that do harm are written in the colour of what lies under them.
    (TEXT, "surface", ("error", "text")),
    (TEXT, "error", ("surface", "error-tint")),
    (TEXT, "warning", ("warning-tint",)),
    (PART, "warning", ("surface",)),
    (TEXT, "success", ("success-tint",)),
    (PART, "success", ("surface",)),
    (PART, "line-strong", ("surface",)),
    (PART, "focus", ("page", "surface", *_TINTS)),
)
_TOKEN = re.compile(r"--([\w-]+): (#(?:[0-9a-f]{6}|[0-9a-f]{3}));")
_DARK = "@media (prefers-color-scheme: dark)"


class ThemeError(ValueError):
    """An election's colours cannot be used. The message names each token, and what is wrong with
    it, one a line.
    """


def colour(css: str, election: Mapping[str, Mapping[str, str]]) -> tuple[str, dict[str, Palette]]:
    """Put an election's colours into the text of theme.css.

    Args:
        css: tokens of the light scheme first, then those of the dark one, which changes all or some
            of them.
        election: for `light` and `dark`, colours `#rrggbb` by token; what is left out stays as it
            is.

    Returns:
        The new text, and all colours of each scheme by token.

    Raises:
        ThemeError: a token that does not exist, or too little contrast.
    """
    parts = re.split("(?=@media)", css)
    unknown = []
    palettes: dict[str, Palette] = {}
    for scheme in SCHEMES:
        index = next(i for i, part in enumerate(parts) if part.startswith(_DARK)) if scheme == "dark" else 0
        own = election[scheme]
        defaults = {token: _six_digits(value) for token, value in _TOKEN.findall(parts[index])}
        unknown += [
            f"{scheme}.{token}: not a colour of site/styles/theme.css" for token in own if token not in defaults
        ]
        palettes[scheme] = {**palettes.get("light", {}), **defaults, **own}
        parts[index] = _TOKEN.sub(lambda found, own=own: f"--{found[1]}: {own.get(found[1], found[2])};", parts[index])
    faults = unknown or [fault for scheme in SCHEMES for fault in low_contrasts(scheme, palettes[scheme])]
    if faults:
        raise ThemeError("\n".join(faults))
    return "".join(parts), palettes


def low_contrasts(scheme: str, palette: Palette) -> list[str]:
    """Return a line for each pair of `PAIRS` that lacks contrast: the two tokens, their contrast
    and the least it must be.
    """
    return [
        # Rounded down: 4.499 is not 4.50.
        f"{scheme}: {front} on {behind}: contrast {math.floor(ratio * 100) / 100:.2f}, at least {least:g} is needed"
        for least, front, all_behind in PAIRS
        for behind in all_behind
        if (ratio := contrast(palette[front], palette[behind])) < least
    ]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours `#rrggbb`, in either order."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(value: str) -> float:
    channels = (int(value[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _six_digits(value: str) -> str:
    return value if len(value) == 7 else "#" + "".join(2 * digit for digit in value[1:])
