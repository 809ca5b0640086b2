"""The French words of a report for what the service names in English: on the plots, in the tables
and beside them.
"""

from __future__ import annotations

from reassort.outbox import Channel
from reassort.register import Change

from reassort_ops.report.figures import Milestone, SourceName, Step, Times

SOURCES = {
    SourceName.REGISTER: "le registre",
    SourceName.DELIVERIES: "les envois",
    SourceName.VOTERS: "la liste électorale",
    SourceName.LIMITS: "le compteur de SMS",
    SourceName.METRICS: "les mesures CloudWatch",
}
STEPS = {
    Step.CODES: "Codes de connexion demandés",
    Step.SIGNED_IN: "Connexions",
    Step.REISSUED: "Réassorts des électeurs",
    Step.HANDED_OVER: "Identifiants remis à l’opérateur ou à la messagerie",
    Step.DELIVERED: "Identifiants arrivés",
}
CONTROLS = {
    Change.CLOSED: "fermeture des réassorts, immédiate ou programmée",
    Change.OPENED: "ouverture des réassorts",
    Change.PROLONGED: "prolongation du scrutin",
}
OTHER_ESTABLISHMENTS = "Autres établissements, réunis"
ELSEWHERE = "autre domaine"


def way(channel: Channel, domain: str | None) -> str:
    """Name where a message went: `SMS`, a mail domain, or none of the election's."""
    return "SMS" if channel is Channel.SMS else domain or ELSEWHERE


def measured(times: Times) -> str:
    """Name what a time was measured of."""
    match times.channel, times.until:
        case None, _:
            return "De la demande à l’arrivée, par tout moyen"
        case Channel.SMS, Milestone.HANDED_OVER:
            return "SMS remis à l’opérateur"
        case Channel.SMS, _:
            return "SMS arrivé sur le téléphone"
        case _, Milestone.HANDED_OVER:
            return "E-mail remis à l’envoi"
        case _:
            return "E-mail arrivé dans la messagerie"
