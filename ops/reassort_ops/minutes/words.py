"""The French words of the minutes for what the service names in English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reassort.french import french_date, french_time
from reassort.register import Change

from reassort_ops.report.french import number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

UNKNOWN = "inconnu"
NOT_SIGNED = "non signé"
ACTS: Mapping[Change, str] = {
    Change.OPENED: "Ouverture des réassorts",
    Change.CLOSED: "Arrêt des réassorts",
    Change.PROLONGED: "Prolongation du scrutin",
}
# Before the time that an act names.
FROM_WHEN: Mapping[Change, str] = {Change.CLOSED: "à partir du", Change.PROLONGED: "jusqu’au"}
# By the register's own word: a change that is not here is shown as the register has it.
ROLL_CHANGES: Mapping[str, str] = {
    "unlocked": "déblocages après des NUMEN erronés",
    "corrected": "corrections de la liste (NUMEN ou preuve supplémentaire)",
    "departed": "changements d’adresse : départs d’une ancienne adresse",
    "arrived": "changements d’adresse : arrivées à une nouvelle adresse",
    "removed": "radiations",
    "restored": "réinscriptions après une radiation",
}
ALARMS: Mapping[str, str] = {
    "AnnounceErrorsAlarm": "erreurs de l’annonce à la plateforme de vote",
    "ApiFaultsAlarm": "erreurs de l’API",
    "CanaryEmailsAlarm": "sondes par courriel sans arrivée",
    "CanarySmsAlarm": "sondes par SMS sans arrivée",
    "CodesUsedAlarm": "réserve de codes du jour entamée",
    "ComplaintsAlarm": "courriels signalés comme indésirables",
    "ContradictedIdentifierAlarm": "identifiant que le registre contredit",
    "DeadLetterAlarm": "envois abandonnés",
    "DisputesAlarm": "nombreuses contestations",
    "DomainFailuresAlarm": "échecs vers un domaine de messagerie",
    "FirewallAlarm": "pare-feu : nombreuses requêtes bloquées",
    "HelpdeskErrorsAlarm": "erreurs de l’assistance",
    "HelpdeskHarvestAlarm": "recherches trop nombreuses à l’assistance",
    "LoginErrorsAlarm": "erreurs de la connexion",
    "ManyCodesAlarm": "nombreux codes demandés",
    "NotifyErrorsAlarm": "erreurs de l’envoi",
    "NumenLocksAlarm": "nombreux blocages après des NUMEN erronés",
    "OutboxAgeAlarm": "file d’envoi arrêtée",
    "OverdueAlarm": "envois en retard",
    "PlatformEventsLateAlarm": "annonces tardives à la plateforme de vote",
    "PlatformEventsLostAlarm": "annonces perdues vers la plateforme de vote",
    "PlatformEventsUndeliveredAlarm": "annonces refusées par la plateforme de vote",
    "RatesAlarm": "débit d’un réseau limité",
    "ReceiptsLostAlarm": "accusés de réception perdus",
    "RegisterChangedAlarm": "entrée du registre remplacée ou supprimée",
    "RegistryErrorsAlarm": "erreurs du contrôle des identifiants",
    "ReissueErrorsAlarm": "erreurs des réassorts",
    "SmsCapAlarm": "plafond de SMS du jour presque atteint",
    "SmsFailuresAlarm": "échecs de SMS",
    "SmsSpendAlarm": "dépense de SMS",
    "UndeliveredAlarm": "identifiants non remis",
    "UnusableKeysAlarm": "clé de chiffrement inutilisable",
    "UnusedCodesAlarm": "codes envoyés et non utilisés",
    "WaitingAlarm": "attente longue avant l’envoi",
    "WrongCodesAlarm": "nombreux codes erronés",
    "WrongNumensAlarm": "nombreux NUMEN erronés",
    "voters-cannot-get-identifiers": "des électeurs ne peuvent pas obtenir d’identifiant",
}


def count(value: int | None) -> str:
    """Write a number; one that is not known says so."""
    return UNKNOWN if value is None else number(value)


def text(value: str | None) -> str:
    """Write a text; one that is not known says so."""
    return value or UNKNOWN


def instant(at: datetime | None) -> str:
    """Write a local instant: `jeudi 29 novembre 2018 à 8 h 05`."""
    return UNKNOWN if at is None else f"{french_date(at.date())} à {french_time(at)}"


def span(begins: datetime | None, ends: datetime | None) -> str:
    """Write from when to when."""
    return UNKNOWN if begins is None or ends is None else f"du {instant(begins)} au {instant(ends)}"
