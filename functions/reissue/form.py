"""What a voter fills in, and what they are told of a reissue or a redelivery that was accepted."""

from dataclasses import dataclass

from reassort.keyed_hash import Purpose
from reassort.outbox import Channel

from reissue.deps import Deps


@dataclass(frozen=True)
class Form:
    """A valid reissue form: normalised NUMEN, E.164 phone, normalised further proof where the
    election asks for one.

    `revision` is what its page showed.
    """

    revision: str
    numen: str
    phone: str
    channel: Channel
    extra_proof: str | None = None


@dataclass(frozen=True)
class Accepted:
    """What a committed reissue is known by; `destination` is masked."""

    reference: str
    generation: int
    channel: Channel
    destination: str


def request_hash(form: Form, deps: Deps) -> str:
    """Return the fingerprint of a form, by which a repeated request is told from another one under
    the same key.
    """
    extra = () if form.extra_proof is None else (form.extra_proof,)
    return deps.keyed_hash.hash(Purpose.REQUEST, form.numen, form.phone, form.channel, *extra)
