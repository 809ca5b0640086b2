"""The names that offices give the columns of a roll, as their spreadsheets have them."""

from __future__ import annotations

import pytest
from reassort_ops.roll.column_names import Column, Letter, meaning_of, place_in_letter

ADDRESSES = (
    "EMail",
    "Mail",
    "Mél",
    "COURRIEL",
    "Adresse électronique",
    "Adresse e-mail",
    "Adresse Mail",
    "adresse_mél",
)
WHOSE = ("", "professionnel", "Professionnelle", "PRO", "académique", "de l’agent", "Agent")
NAMED: dict[Column | Letter, tuple[str, ...]] = {
    Column.EMAIL: (
        *(f"{name} {whose}" for name in ADDRESSES for whose in WHOSE),
        "Adresse courriel",
        "Adresse professionnelle",
        "Adresse de messagerie",
        "ADRESSE MESSAGERIE",
        "Messagerie",
        "Boîte mail",
    ),
    Column.NUMEN: ("numen", "N° NUMEN", "No NUMEN", "Nº Numen", "№ NUMEN", "Numéro NUMEN", "Code_NUMEN"),
    Column.ESTABLISHMENT: (
        "Establishment",
        "ÉTABLISSEMENT",
        "Nom établissement",
        "Nom de l’établissement",
        "Libellé établissement",
        "Établissement d'affectation",
        "École",
        "École ou établissement",
        "Établissement ou service",
        "Affectation",
        "Lieu d’affectation",
        "SERVICE",
    ),
    Column.SECRETARIAT: ("Secrétariat", "Secrétariat de l’établissement", "SECRETARIAT_ETABLISSEMENT"),
    Column.IDENTIFIER: ("Identifier", "Identifiant", "Identifiant de vote", "IDENTIFIANT_VOTE"),
    Column.EXTRA_PROOF: ("extra-proof", "Preuve", "Preuve supplémentaire", "Autre preuve"),
    # In the order of an envelope.
    Letter.NAME: (
        "Civilité",
        "PRÉNOM",
        "Prénoms",
        "Prénom usuel",
        "Nom",
        "Nom d’usage",
        "Nom usuel",
        "Nom de famille",
        "Nom et prénom",
        "NOM PRÉNOM",
        "Prénom et nom",
        "Prénom - Nom",
        "Name",
        "First name",
        "Last name",
    ),
    Letter.POSTAL: (
        "Adresse",
        "Adresse postale",
        "Adresse personnelle",
        "Adresse 1",
        "ADRESSE2",
        "Adresse (3)",
        "Adresse, ligne 1",
        "Adresse / ligne 2",
        "Complément d’adresse",
        "Complément adresse",
        "Rue",
        "Voie",
        "Lieu-dit",
        "Code postal",
        "CP",
        "VILLE",
        "Commune",
        "Localité",
        "Pays",
        "Postal address",
    ),
}


@pytest.mark.req("O6")
@pytest.mark.parametrize("meaning", NAMED)
def test_a_column_is_known_with_accents_signs_and_capitals(meaning: Column | Letter) -> None:
    assert {name: meaning_of(name) for name in NAMED[meaning]} == dict.fromkeys(NAMED[meaning], meaning)


@pytest.mark.parametrize("meaning", [*Column, Letter.NAME])
def test_a_column_is_known_by_the_name_that_the_documentation_gives_it(meaning: Column | Letter) -> None:
    assert meaning_of(meaning.value) is meaning


@pytest.mark.req("O6")
@pytest.mark.parametrize(
    "name", ["", "Code UAI", "Corps", "Grade", "Adresse de l'école", "Numéro", "Identifiant RH", "Date de naissance"]
)
def test_what_the_service_has_no_use_for_is_of_no_column(name: str) -> None:
    assert meaning_of(name) is None


@pytest.mark.parametrize("part", Letter)
def test_parts_of_a_letter_stand_in_the_order_of_an_envelope(part: Letter) -> None:
    from_behind = NAMED[part][::-1]
    assert sorted(from_behind, key=place_in_letter) == list(NAMED[part])
