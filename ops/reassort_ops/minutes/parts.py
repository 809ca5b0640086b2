"""The minutes in French, part by part: what both the page and the PDF show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reassort.agent_names import actor_names

from reassort_ops.minutes import words
from reassort_ops.minutes.figures import MinutesBasis
from reassort_ops.minutes.words import count, instant, span, text
from reassort_ops.report.french import some

if TYPE_CHECKING:
    from reassort_ops.minutes.figures import Minutes

TITLE = "Procès-verbal du réassort des identifiants de vote"
# Who signs, a line each.
SIGNATORIES = (
    "Président ou présidente",
    "Secrétaire",
    "Assesseur ou assesseure",
    "Assesseur ou assesseure",
    "Délégué ou déléguée de liste",
    "Délégué ou déléguée de liste",
    "Délégué ou déléguée de liste",
)


@dataclass(frozen=True)
class MinutesTable:
    """Rows under their heads; without heads the first cell of a row names the others. `widths` are
    shares of a line. With `codes` the cells behind the first are to be compared sign by sign.
    """

    title: str
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]
    heads: tuple[str, ...] = ()
    codes: bool = False


@dataclass(frozen=True)
class MinutesPart:
    """A numbered part. `warnings` are what the bureau must not overlook."""

    title: str
    lines: tuple[str, ...]
    tables: tuple[MinutesTable, ...]
    warnings: tuple[str, ...] = ()


def parts_of(minutes: Minutes) -> list[MinutesPart]:
    """Return all parts but the signatures."""
    return [
        _election(minutes),
        _acts(minutes),
        _reissues(minutes),
        _disputes(minutes),
        _reconciliation(minutes),
        _seal(minutes),
        _incidents(minutes),
        _versions(minutes),
    ]


def subtitle(minutes: Minutes) -> str:
    """Say when and from what the minutes were drawn up."""
    basis = "le registre signé" if minutes.checked is MinutesBasis.SIGNED_FILE else "les tables, sans signature"
    return f"Établi le {instant(minutes.at)} ({minutes.head.zone}) d’après {basis}."


NOTICE = (
    "Ce procès-verbal ne contient aucune donnée d’un électeur. « inconnu » signale un chiffre que le service ne peut "
    "pas donner : ce n’est pas zéro."
)


def _pairs(title: str, *rows: tuple[str, str], codes: bool = False) -> MinutesTable:
    return MinutesTable(title, rows, (35, 65) if codes else (45, 55), codes=codes)


def _election(minutes: Minutes) -> MinutesPart:
    head = minutes.head
    return MinutesPart(
        "Élection et électeurs inscrits",
        (),
        (
            _pairs(
                "Élection",
                ("Élection", head.name or head.election),
                ("Organisateur", text(head.organiser)),
                ("Réassorts", span(head.reissues_open_at, head.reissues_close_at)),
                ("Scrutin", span(head.ballot_opens_at, head.ballot_closes_at)),
                ("Électeurs inscrits", count(minutes.voters)),
                *(
                    (f"Registre : {words.ROLL_CHANGES.get(one.change, one.change)}", count(one.count))
                    for one in minutes.roll_changes
                ),
            ),
        ),
    )


def _acts(minutes: Minutes) -> MinutesPart:
    title = "Ouvertures, arrêts et prolongations"
    if not minutes.acts:
        return MinutesPart(title, ("Aucun acte : les réassorts ont suivi le calendrier de l’élection.",), ())
    rows = tuple(
        (
            instant(act.at),
            f"{words.ACTS[act.change]} {words.FROM_WHEN[act.change]} {instant(act.until)}"
            if act.until
            else words.ACTS[act.change],
            actor_names(act.actor),
            act.reason,
        )
        for act in minutes.acts
    )
    heads = ("Quand", "Acte", "Par", "Motif")
    return MinutesPart(title, (), (MinutesTable("Actes sur l’élection", rows, (28, 32, 16, 24), heads),))


def _reissues(minutes: Minutes) -> MinutesPart:
    hand, way, sent = minutes.by_hand, minutes.by_way, minutes.sent
    total = some(minutes.reissues, "réassort inscrit", "réassorts inscrits")
    lines = [f"{total} au registre."]
    if way.unknown:
        gone = some(way.unknown, "réassort", "réassorts")
        lines.append(f"L’envoi n’est plus conservé pour {gone} : son moyen et son arrivée sont inconnus.")
    return MinutesPart(
        "Réassorts",
        tuple(lines),
        (
            _pairs(
                "Par qui",
                ("Demandés par l’électeur", count(hand.voter)),
                ("Donnés par un agent de l’assistance", count(hand.agent)),
                ("Donnés par un exploitant", count(hand.operator)),
                ("Donnés par deux personnes ensemble", count(hand.two_people)),
            ),
            _pairs(
                "Par quel moyen",
                ("Par SMS", count(way.sms)),
                ("Par courriel", count(way.email)),
                ("Moyen inconnu", count(way.unknown)),
                ("Repartis d’eux-mêmes par l’autre moyen", count(way.fell_back)),
                ("Renvoyés par l’autre moyen à la demande de l’électeur", count(way.redelivered)),
            ),
            _pairs(
                "Où en sont ces envois",
                ("Arrivés", count(sent.delivered)),
                ("Envoyés, arrivée non confirmée", count(sent.sent)),
                ("En attente", count(sent.waiting)),
                ("Arrivés nulle part", count(sent.failed)),
                ("Remplacés avant l’envoi", count(sent.superseded)),
            ),
        ),
    )


def _disputes(minutes: Minutes) -> MinutesPart:
    disputes, freezes = minutes.disputes, minutes.freezes
    return MinutesPart(
        "Contestations et gels",
        (),
        (
            _pairs(
                "Contestations (« Ce n’était pas moi »)",
                ("En tout", count(disputes.total)),
                ("suivies d’un nouvel identifiant", count(disputes.replaced)),
                ("identifiant toujours gelé", count(disputes.frozen)),
                ("vote déjà enregistré", count(disputes.voted)),
                ("identifiant déjà remplacé", count(disputes.former)),
            ),
            _pairs(
                "Gels par l’assistance ou un exploitant",
                ("En tout", count(freezes.total)),
                ("levés", count(freezes.unfrozen)),
                ("suivis d’un nouvel identifiant", count(freezes.replaced)),
                ("toujours en vigueur", count(freezes.frozen)),
            ),
        ),
    )


def _reconciliation(minutes: Minutes) -> MinutesPart:
    found, platform = minutes.identifiers, minutes.platform
    sign = "=" if found.balances else "≠"
    equation = (
        f"{count(found.issued)} émis {sign} {count(found.active)} valables + {count(found.revoked)} remplacés + "
        f"{count(found.used)} utilisés + {count(found.frozen)} gelés."
    )
    return MinutesPart(
        "Rapprochement avec la plateforme de vote",
        (equation,),
        (
            _pairs(
                "Identifiants",
                ("Émis, premier envoi compris", count(found.issued)),
                ("Valables, sans vote", count(found.active)),
                ("Annulés, remplacés par un autre", count(found.revoked)),
                ("Utilisés pour voter", count(found.used)),
                ("Gelés, radiations comprises", count(found.frozen)),
            ),
            _pairs(
                "Votes",
                ("Votes inscrits au registre", count(minutes.votes)),
                ("Votes de la liste d’émargement de la plateforme", count(platform.votes)),
                ("Identifiants utilisés selon la plateforme", count(platform.used)),
                ("Identifiants comparés", count(platform.compared)),
                ("Différences", count(platform.differences)),
            ),
        ),
        tuple(_disagreements(minutes)),
    )


def _disagreements(minutes: Minutes) -> Iterator[str]:
    platform = minutes.platform
    if not minutes.identifiers.balances:
        yield "Les comptes ne s’équilibrent pas : le nombre d’identifiants émis n’est pas celui de leurs états."
    if platform.votes is not None and platform.votes != minutes.votes:
        yield (
            f"La plateforme compte {some(platform.votes, 'vote', 'votes')}, le registre "
            f"{some(minutes.votes, 'vote', 'votes')}."
        )
    if platform.differences:
        differ = some(platform.differences, "identifiant n’a pas", "identifiants n’ont pas")
        yield f"{differ} le même état pour la plateforme et pour le service (reassort platform compare)."


def _seal(minutes: Minutes) -> MinutesPart:
    title, seal = "Scellés du registre", minutes.seal
    warnings = []
    if minutes.faults:
        faults = some(len(minutes.faults), "anomalie", "anomalies")
        warnings.append(f"Le registre ne se vérifie pas : {faults} (reassort register verify).")
    if seal is None:
        warnings.append("Aucun registre signé n’a été donné : ni racine, ni signature. Ce document est un projet.")
        rows = tuple((name, words.NOT_SIGNED) for name in ("Racine de Merkle", "Signature", "Empreinte de la clé"))
        return MinutesPart(title, (), (_pairs("Registre", *rows, codes=True),), tuple(warnings))
    ends = "vérifiées" if seal.helpdesk_checked else "non vérifiées : leur fichier n’a pas été donné"
    agents = some(seal.helpdesk_chains, "personne", "personnes")
    lines = (
        "Le fichier a été vérifié avec la clé publique du bureau : signature, racine, chaque chaîne, chaque compte.",
        f"Fins du journal de l’assistance, {agents} : {ends}.",
    )
    table = _pairs(
        "Registre",
        ("Fichier", seal.file),
        ("SHA-256 du fichier", seal.file_sha256),
        ("Entrées", count(seal.entries)),
        ("Lu du, au (UTC)", f"{seal.started_at}, {seal.finished_at}"),
        ("Racine de Merkle", seal.merkle_root),
        (f"Signature ({seal.algorithm})", seal.signature),
        ("Empreinte de la clé", seal.public_key_sha256),
        ("Clé", seal.key_id),
        codes=True,
    )
    return MinutesPart(title, lines, (table,), tuple(warnings))


def _incidents(minutes: Minutes) -> MinutesPart:
    found = minutes.incidents
    tables = [
        _pairs(
            "Envois",
            ("Identifiants arrivés nulle part", count(found.undelivered)),
            ("Envois abandonnés, à cette heure", count(found.dead_letters)),
            ("Alarmes qui ont sonné", count(None if found.alarms is None else sum(one.count for one in found.alarms))),
        )
    ]
    lines = []
    if found.alarms is not None:
        lines.append(f"Les alarmes sont celles depuis le {instant(found.alarms_since)}.")
    if found.alarms:
        rows = tuple(
            (words.ALARMS.get(one.name, one.name), count(one.count), instant(one.first_at), instant(one.last_at))
            for one in found.alarms
        )
        heads = ("Alarme", "Fois", "Première fois", "Dernière fois")
        tables.append(MinutesTable("Alarmes", rows, (40, 8, 26, 26), heads))
    return MinutesPart("Incidents", tuple(lines), tuple(tables))


def _versions(minutes: Minutes) -> MinutesPart:
    versions = minutes.versions
    return MinutesPart(
        "Versions",
        (),
        (
            _pairs(
                "Versions",
                ("Pile", minutes.head.stack),
                ("Identifiant de l’élection", minutes.head.election),
                ("SHA-256 du fichier d’élection", text(versions.election_sha256)),
                ("Code du service (couche)", text(versions.layer)),
                ("SHA-256 de la couche", text(versions.layer_sha256)),
                ("Commande reassort", versions.command),
                codes=True,
            ),
        ),
    )
