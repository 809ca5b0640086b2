"""What the register takes as a reason: tickets, and nothing that tells of a person."""

from __future__ import annotations

import pytest
from reassort.act_reasons import ReasonError, ReasonFault, checked_reason


@pytest.mark.parametrize(
    "reason",
    [
        "ticket INC0012345",
        "RITM-20418, boîte volée",
        "dossier #4821",
        "GLPI 118204",
        "bureau, 9:10",
        "le 29/11/2018 à 8:30",
        "M. le directeur a appelé",
        "incident v2.1 du fournisseur",
        "voir www.exemple.fr",
    ],
)
def test_taken(reason: str) -> None:
    assert checked_reason(f"  {reason} ") == reason


@pytest.mark.req("I7", "S24")
@pytest.mark.parametrize(
    "reason",
    [
        "claire.martin@ac-dijon.fr",
        "Mme Martin a appelé",
        "M. Le Gall",
        "Madame de Broglie",
        "Monsieur d’Argens",
        "claire.martin a appelé",
        "NUMEN 09E9900123ABC",
        "09E9900123ABC",
        "06 12 34 56 78",
        "tel 0612345678",
        "TEL 0612345678",
        "+33612345678",
        "né le 17031968",
    ],
)
def test_of_a_person(reason: str) -> None:
    with pytest.raises(ReasonError) as refused:
        checked_reason(reason)
    assert refused.value.fault is ReasonFault.PERSONAL
