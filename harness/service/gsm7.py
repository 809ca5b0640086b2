"""The places that a text takes in an SMS."""

# 3GPP TS 23.038: the basic table and its extension, whose characters take two places.
GSM7 = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENSION = set("^{}\\[~]|€")


def gsm7_length(text: str) -> int:
    """Return the places that a text takes in an SMS. Raises ValueError when GSM 7-bit lacks one of
    its characters.
    """
    if missing := set(text) - GSM7 - GSM7_EXTENSION:
        raise ValueError(f"not in GSM 7-bit: {missing}")
    return sum(2 if character in GSM7_EXTENSION else 1 for character in text)
