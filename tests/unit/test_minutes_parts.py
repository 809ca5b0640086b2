"""What the minutes show of each figure, in French: each under its own name, an unknown one as
such.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from reassort.register import Change
from reassort_ops.minutes.figures import (
    AlarmRung,
    DisputesSettled,
    ElectionAct,
    FreezesSettled,
    IdentifierBalance,
    IdentifiersSent,
    IncidentsSeen,
    Minutes,
    MinutesBasis,
    MinutesHead,
    PlatformReconciled,
    RegisterSeal,
    ReissuesByHand,
    ReissuesByWay,
    RollChange,
    VersionsRun,
)
from reassort_ops.minutes.parts import SIGNATORIES, MinutesPart, parts_of, subtitle


def local(day: int, hour: int) -> datetime:
    return datetime(2018, 12, day, hour, tzinfo=ZoneInfo("Europe/Paris"))


# Each figure is another number, so that none can stand for another.
FULL = Minutes(
    head=MinutesHead(
        "dijon-2018",
        "reassort",
        "Europe/Paris",
        "Comité",
        "Académie",
        local(1, 1),
        local(2, 2),
        local(3, 3),
        local(4, 4),
    ),
    at=local(5, 5),
    checked=MinutesBasis.SIGNED_FILE,
    voters=1,
    acts=(
        ElectionAct(local(1, 6), Change.CLOSED, "anne + paul", None, "fuite"),
        ElectionAct(local(1, 7), Change.CLOSED, "anne", local(2, 8), "bureau"),
        ElectionAct(local(1, 9), Change.PROLONGED, "3f9a2c00-0000-4000-8000-000000000000", local(2, 10), "panne"),
    ),
    reissues=2,
    by_hand=ReissuesByHand(3, 4, 5, 6),
    by_way=ReissuesByWay(7, 8, 9, 10, 11),
    sent=IdentifiersSent(12, 13, 14, 15, 16),
    disputes=DisputesSettled(17, 18, 19, 20, 21),
    freezes=FreezesSettled(22, 23, 24, 25),
    roll_changes=(RollChange("removed", 26), RollChange("painted", 27)),
    identifiers=IdentifierBalance(28, 29, 30, 31, 32, balances=True),
    votes=33,
    platform=PlatformReconciled(votes=33, compared=35, used=36, differences=0),
    seal=RegisterSeal(
        "register.jsonl", "f1", "T1", "T2", 37, "f2", "ECDSA", "f3", "k4", "f5", 38, helpdesk_checked=True
    ),
    faults=(),
    incidents=IncidentsSeen(
        39,
        40,
        (AlarmRung("SmsCapAlarm", 41, local(3, 11), local(3, 12)), AlarmRung("MadeUp", 42, local(3, 13), local(3, 14))),
        local(1, 15),
    ),
    versions=VersionsRun("0.1.0", "arn:7", "f6", "f7"),
)
UNKNOWN = replace(
    FULL,
    head=MinutesHead("dijon-2018", "reassort", "UTC", None, None, None, None, None, None),
    checked=MinutesBasis.TABLES,
    acts=(),
    by_way=ReissuesByWay(None, None, None, None, None),
    sent=IdentifiersSent(None, None, None, None, None),
    roll_changes=(),
    platform=PlatformReconciled(),
    seal=None,
    incidents=IncidentsSeen(),
    versions=VersionsRun("0.1.0"),
)


def told(part: MinutesPart) -> list[str]:
    """Return what a part shows, line by line."""
    lines = [*(f"! {warning}" for warning in part.warnings), *part.lines]
    for table in part.tables:
        lines.append(f"[{table.title}]{' codes' if table.codes else ''}")
        lines += [" | ".join(cells) for cells in (table.heads, *table.rows) if cells]
    return [line.replace("\u202f", " ").replace("\u00a0", " ") for line in lines]


ELECTION, ACTS, REISSUES, DISPUTES, RECONCILIATION, SEAL, INCIDENTS, VERSIONS = range(8)
# What is told of the election of `FULL`.
SHOWN: dict[int, tuple[str, list[str]]] = {
    ELECTION: (
        "Élection et électeurs inscrits",
        [
            "[Élection]",
            "Élection | Comité",
            "Organisateur | Académie",
            "Réassorts | du samedi 1er décembre 2018 à 1 h au dimanche 2 décembre 2018 à 2 h",
            "Scrutin | du lundi 3 décembre 2018 à 3 h au mardi 4 décembre 2018 à 4 h",
            "Électeurs inscrits | 1",
            "Registre : radiations | 26",
            "Registre : painted | 27",
        ],
    ),
    ACTS: (
        "Ouvertures, arrêts et prolongations",
        [
            "[Actes sur l’élection]",
            "Quand | Acte | Par | Motif",
            "samedi 1er décembre 2018 à 6 h | Arrêt des réassorts | anne et paul | fuite",
            "samedi 1er décembre 2018 à 7 h | Arrêt des réassorts à partir du dimanche 2 décembre 2018 à 8 h | anne "
            "| bureau",
            "samedi 1er décembre 2018 à 9 h | Prolongation du scrutin jusqu’au dimanche 2 décembre 2018 à 10 h "
            "| agent 3F9-A2C | panne",
        ],
    ),
    REISSUES: (
        "Réassorts",
        [
            "2 réassorts inscrits au registre.",
            "L’envoi n’est plus conservé pour 9 réassorts : son moyen et son arrivée sont inconnus.",
            "[Par qui]",
            "Demandés par l’électeur | 3",
            "Donnés par un agent de l’assistance | 4",
            "Donnés par un exploitant | 5",
            "Donnés par deux personnes ensemble | 6",
            "[Par quel moyen]",
            "Par SMS | 7",
            "Par courriel | 8",
            "Moyen inconnu | 9",
            "Repartis d’eux-mêmes par l’autre moyen | 10",
            "Renvoyés par l’autre moyen à la demande de l’électeur | 11",
            "[Où en sont ces envois]",
            "Arrivés | 12",
            "Envoyés, arrivée non confirmée | 13",
            "En attente | 14",
            "Arrivés nulle part | 15",
            "Remplacés avant l’envoi | 16",
        ],
    ),
    DISPUTES: (
        "Contestations et gels",
        [
            "[Contestations (« Ce n’était pas moi »)]",
            "En tout | 17",
            "suivies d’un nouvel identifiant | 18",
            "identifiant toujours gelé | 19",
            "vote déjà enregistré | 20",
            "identifiant déjà remplacé | 21",
            "[Gels par l’assistance ou un exploitant]",
            "En tout | 22",
            "levés | 23",
            "suivis d’un nouvel identifiant | 24",
            "toujours en vigueur | 25",
        ],
    ),
    RECONCILIATION: (
        "Rapprochement avec la plateforme de vote",
        [
            "28 émis = 29 valables + 30 remplacés + 31 utilisés + 32 gelés.",
            "[Identifiants]",
            "Émis, premier envoi compris | 28",
            "Valables, sans vote | 29",
            "Annulés, remplacés par un autre | 30",
            "Utilisés pour voter | 31",
            "Gelés, radiations comprises | 32",
            "[Votes]",
            "Votes inscrits au registre | 33",
            "Votes de la liste d’émargement de la plateforme | 33",
            "Identifiants utilisés selon la plateforme | 36",
            "Identifiants comparés | 35",
            "Différences | 0",
        ],
    ),
    SEAL: (
        "Scellés du registre",
        [
            "Le fichier a été vérifié avec la clé publique du bureau : signature, racine, chaque chaîne, chaque "
            "compte.",
            "Fins du journal de l’assistance, 38 personnes : vérifiées.",
            "[Registre] codes",
            "Fichier | register.jsonl",
            "SHA-256 du fichier | f1",
            "Entrées | 37",
            "Lu du, au (UTC) | T1, T2",
            "Racine de Merkle | f2",
            "Signature (ECDSA) | f3",
            "Empreinte de la clé | f5",
            "Clé | k4",
        ],
    ),
    INCIDENTS: (
        "Incidents",
        [
            "Les alarmes sont celles depuis le samedi 1er décembre 2018 à 15 h.",
            "[Envois]",
            "Identifiants arrivés nulle part | 39",
            "Envois abandonnés, à cette heure | 40",
            "Alarmes qui ont sonné | 83",
            "[Alarmes]",
            "Alarme | Fois | Première fois | Dernière fois",
            "plafond de SMS du jour presque atteint | 41 | lundi 3 décembre 2018 à 11 h | lundi 3 décembre 2018 à 12 h",
            "MadeUp | 42 | lundi 3 décembre 2018 à 13 h | lundi 3 décembre 2018 à 14 h",
        ],
    ),
    VERSIONS: (
        "Versions",
        [
            "[Versions] codes",
            "Pile | reassort",
            "Identifiant de l’élection | dijon-2018",
            "SHA-256 du fichier d’élection | f7",
            "Code du service (couche) | arn:7",
            "SHA-256 de la couche | f6",
            "Commande reassort | 0.1.0",
        ],
    ),
}


def test_every_figure_stands_under_its_name() -> None:
    assert [(part.title, told(part)) for part in parts_of(FULL)] == list(SHOWN.values())


def test_the_parts_are_the_same_when_little_is_known() -> None:
    assert [part.title for part in parts_of(UNKNOWN)] == [title for title, _ in SHOWN.values()]


def test_what_is_not_known_is_said_row_by_row() -> None:
    parts = parts_of(UNKNOWN)
    rows = [(table.title, cells) for part in parts for table in part.tables for _, *cells in table.rows]
    assert Counter(title for title, cells in rows if cells == ["inconnu"]) == {
        "Élection": 3,
        "Par quel moyen": 5,
        "Où en sont ces envois": 5,
        "Votes": 4,
        "Envois": 3,
        "Versions": 3,
    }
    assert told(parts[ELECTION])[1] == "Élection | dijon-2018"
    assert told(parts[ACTS]) == ["Aucun acte : les réassorts ont suivi le calendrier de l’élection."]
    assert (parts[REISSUES].lines[1:], parts[INCIDENTS].lines) == ((), ())


@pytest.mark.parametrize("minutes", [FULL, UNKNOWN], ids=["full", "unknown"])
def test_each_cell_of_a_row_has_its_share_of_the_line(minutes: Minutes) -> None:
    for table in (table for part in parts_of(minutes) for table in part.tables):
        assert sum(table.widths) == 100
        assert {len(cells) for cells in (table.heads or table.rows[0], *table.rows)} == {len(table.widths)}


def test_names_have_less_room_where_codes_stand_beside_them() -> None:
    tables = [table for part in parts_of(FULL) for table in part.tables if not table.heads]
    assert max(table.widths[0] for table in tables if table.codes) < min(
        table.widths[0] for table in tables if not table.codes
    )


def changed(part: int, **changes: object) -> list[str]:
    """Return what a part shows of other minutes and not of `FULL`."""
    found = told(parts_of(replace(FULL, **changes))[part])  # type: ignore[arg-type]
    return [line for line in found if line not in SHOWN[part][1]]


def test_what_disagrees_is_a_warning() -> None:
    unbalanced = replace(FULL.identifiers, balances=False)
    assert changed(RECONCILIATION, identifiers=unbalanced) == [
        "! Les comptes ne s’équilibrent pas : le nombre d’identifiants émis n’est pas celui de leurs états.",
        "28 émis ≠ 29 valables + 30 remplacés + 31 utilisés + 32 gelés.",
    ]
    assert changed(RECONCILIATION, platform=replace(FULL.platform, votes=34)) == [
        "! La plateforme compte 34 votes, le registre 33 votes.",
        "Votes de la liste d’émargement de la plateforme | 34",
    ]
    for differences, said in ((1, "1 identifiant n’a pas"), (2, "2 identifiants n’ont pas")):
        assert changed(RECONCILIATION, platform=replace(FULL.platform, differences=differences)) == [
            f"! {said} le même état pour la plateforme et pour le service (reassort platform compare).",
            f"Différences | {differences}",
        ]
    assert not any(line.startswith("!") for line in told(parts_of(UNKNOWN)[RECONCILIATION]))


def test_a_register_that_does_not_verify_or_is_not_signed_is_a_warning() -> None:
    assert changed(SEAL, faults=("a", "b")) == [
        "! Le registre ne se vérifie pas : 2 anomalies (reassort register verify)."
    ]
    assert told(parts_of(UNKNOWN)[SEAL]) == [
        "! Aucun registre signé n’a été donné : ni racine, ni signature. Ce document est un projet.",
        "[Registre] codes",
        "Racine de Merkle | non signé",
        "Signature | non signé",
        "Empreinte de la clé | non signé",
    ]


def test_a_record_of_the_helpdesk_that_was_not_given_is_said() -> None:
    assert FULL.seal is not None
    alone = replace(FULL.seal, helpdesk_chains=1, helpdesk_checked=False)
    assert changed(SEAL, seal=alone) == [
        "Fins du journal de l’assistance, 1 personne : non vérifiées : leur fichier n’a pas été donné."
    ]


def test_deliveries_that_are_kept_need_no_word() -> None:
    kept = replace(FULL.by_way, unknown=0)
    assert changed(REISSUES, by_way=kept) == ["Moyen inconnu | 0"]
    gone = replace(FULL.by_way, unknown=1)
    assert changed(REISSUES, by_way=gone) == [
        "L’envoi n’est plus conservé pour 1 réassort : son moyen et son arrivée sont inconnus.",
        "Moyen inconnu | 1",
    ]


def test_no_alarm_is_a_zero_and_has_no_table() -> None:
    quiet = replace(FULL.incidents, alarms=())
    assert told(parts_of(replace(FULL, incidents=quiet))[INCIDENTS]) == [
        *SHOWN[INCIDENTS][1][:4],
        "Alarmes qui ont sonné | 0",
    ]
    # CloudWatch did not say: nor is told since when.
    refused = parts_of(replace(FULL, incidents=replace(quiet, alarms=None)))[INCIDENTS]
    assert (refused.lines, told(refused)[-1]) == ((), "Alarmes qui ont sonné | inconnu")


def test_the_subtitle_says_when_and_from_what() -> None:
    drawn_up = "Établi le mercredi 5 décembre 2018 à 5 h"
    assert subtitle(FULL) == f"{drawn_up} (Europe/Paris) d’après le registre signé."
    assert subtitle(UNKNOWN) == f"{drawn_up} (UTC) d’après les tables, sans signature."


def test_everyone_who_signs_has_a_line() -> None:
    assert Counter(SIGNATORIES) == {
        "Président ou présidente": 1,
        "Secrétaire": 1,
        "Assesseur ou assesseure": 2,
        "Délégué ou déléguée de liste": 3,
    }
