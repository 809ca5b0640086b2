"""The reason of an operator's act, as the register takes it."""

from __future__ import annotations

from reassort.act_reasons import CALLER_VERIFIED, LONGEST, ReasonError, ReasonFault, checked_reason

from reassort_ops.failures import OperatorError
from reassort_ops.language import tr

_FAULTS = {
    ReasonFault.LENGTH: tr("--reason takes 1 to {most} characters", most=LONGEST),
    ReasonFault.PERSONAL: tr("--reason goes into the register, which holds no address and no number of a person"),
    ReasonFault.RESERVED: tr(
        "--reason may not say « {words} »: the register says so of a voter's caller",
        words=CALLER_VERIFIED,
    ),
}


def operators_reason(typed: str) -> str:
    """Return the reason as the register keeps it.

    Raises:
        OperatorError: the register does not take it.
    """
    try:
        return checked_reason(typed)
    except ReasonError as error:
        raise OperatorError(_FAULTS[error.fault]) from error
