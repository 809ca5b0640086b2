"""What a report says of its sources, in French: how far back they go, and what they cannot tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reassort_ops.report.french import day_and_time, number, some

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

LIMITS = (
    "Ce compteur couvre tous les SMS, et s’efface après trois jours sans SMS : un jour sans valeur n’est pas un "
    "jour à zéro."
)
EMPTY_REGISTER = "Le registre est vide : aucun électeur n’a été importé, ou sa durée de conservation est passée."
NO_VOTERS = "La liste électorale est vide : pas encore importée, ou déjà détruite."
NO_METRICS = "CloudWatch n’a aucune mesure du service pour cette période."


def deliveries_kept(days: int, since: datetime, zone: ZoneInfo) -> str:
    """Say how long deliveries are kept."""
    return (
        f"Les envois sont conservés {number(days)} jours : ceux d’avant le "
        f"{day_and_time(since.astimezone(zone))} s’effacent."
    )


def deliveries_gone(count: int, total: int) -> str:
    """Say of how many reissues nothing is known but that they were."""
    gone = some(count, "réassort", "réassorts")
    return f"L’envoi n’est plus conservé pour {gone} sur {number(total)} : moyen, délais et échecs en sont inconnus."


def voters_now(now: datetime, zone: ZoneInfo) -> str:
    """Say of when the state of the voters is."""
    return f"État du {day_and_time(now.astimezone(zone))}, quelle que soit la période."


def metrics_hours() -> str:
    """Say how fine the metrics are."""
    return "Mesures par heure entière : la première et la dernière heure comptent en entier."


def metrics_refused(code: str) -> str:
    """Say that CloudWatch refused."""
    return f"CloudWatch a refusé de répondre ({code})."


def metrics_kept(days: int) -> str:
    """Say how long metrics are kept."""
    return f"CloudWatch conserve ces mesures {number(days)} jours : le début de la période manque."
