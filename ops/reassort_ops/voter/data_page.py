"""What is kept about a voter, as a page to hand over: what, in which form, why, for how long, what
happened, and the voter's rights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from reassort.french import french_date, french_time, typeset_html

_HASHED = "empreinte, que personne ne peut lire"
_CLEAR = "en clair"
_STATES = {
    "queued": "en attente d’envoi",
    "sending": "envoi en cours",
    "sent": "envoyé",
    "delivered": "arrivé",
    "failed": "échec de l’envoi",
    "superseded": "remplacé avant l’envoi",
    "disputed": "bloqué",
}
_CHANNELS = {"sms": "SMS", "email": "courriel"}


@dataclass(frozen=True)
class KeptThing:
    """Something that is kept: what it is, what of it can be shown, in which form it is kept, why,
    until when.
    """

    what: str
    value: str
    form: str
    why: str
    until: str


def render_data(answer: Mapping[str, Any]) -> str:
    """Return the page of what `POST /helpdesk/data` answered."""
    environment = Environment(
        loader=PackageLoader("reassort_ops.voter", "."),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
    )
    zone = ZoneInfo(answer["zone"])
    page = environment.get_template("data_page.html.j2").render(
        election=answer["election"],
        address=answer["address"],
        at=_moment(answer["at"], zone),
        kept=list(_kept(answer, zone)),
        deliveries=[_delivery(one, zone) for one in answer["deliveries"]],
        history=[
            {"at": _moment(one["at"], zone), "words": one["words"], "actor": one.get("actor", "")}
            for one in answer["history"]
        ],
    )
    return typeset_html(page)


def _kept(answer: Mapping[str, Any], zone: ZoneInfo) -> Iterator[KeptThing]:
    until = answer["kept"]
    roll, register = (f"jusqu’au {_day(until[name], zone)}" for name in ("roll_until", "register_until"))
    days = f"{until['deliveries_days']} jours après la demande"
    yield KeptThing(
        "Adresse professionnelle",
        answer["address"],
        f"{_HASHED} ; l’adresse elle-même, chiffrée, le temps d’un envoi ou d’une session",
        "vous reconnaître et vous écrire",
        roll,
    )
    yield KeptThing("NUMEN", "ne peut pas être lu", _HASHED, "vérifier celui que vous saisissez", roll)
    if answer["extra_proof"] is not None:
        yield KeptThing(answer["extra_proof"], "ne peut pas être lu", _HASHED, "vérifier ce que vous saisissez", roll)
    where = "savoir qui peut vous remettre votre NUMEN"
    yield KeptThing("Établissement", answer["establishment"], _CLEAR, where, roll)
    yield KeptThing("Secrétariat", answer["secretariat"] or "non indiqué", _CLEAR, where, roll)
    number = answer["identifiers"]
    yield KeptThing(
        "Identifiants de vote",
        f"{number} donné{'s' if number > 1 else ''}, qui ne peuvent pas être lus",
        _HASHED,
        "dire à la plateforme de vote lequel est valable",
        roll,
    )
    state = "vote enregistré" if answer["has_voted"] else "pas de vote enregistré"
    frozen = " ; identifiant gelé" if answer["is_frozen"] else ""
    yield KeptThing("Vote et gel", state + frozen, _CLEAR, "ne donner aucun identifiant après un vote", roll)
    wrong = answer["wrong_entries"]
    yield KeptThing("Saisies fausses", str(wrong), _CLEAR, "arrêter qui essaie des NUMEN", roll)
    yield KeptThing(
        "Connexions dont il est gardé trace",
        f"{answer['sign_ins']}, et {answer['sessions']} session(s)",
        "dates en clair ; codes et cookies en empreintes",
        "vérifier un code, vous garder connecté",
        "un jour environ",
    )
    yield KeptThing(
        "Numéros de téléphone donnés",
        "voir les envois, ci-dessous",
        f"{_HASHED} ; les derniers chiffres en clair",
        "vous envoyer l’identifiant et limiter les abus",
        days,
    )
    yield KeptThing("Envois", "ci-dessous", _CLEAR, "vous dire, et dire à l’assistance, ce que c’est devenu", days)
    yield KeptThing(
        "Registre et journal de l’assistance",
        "historique, ci-dessous",
        "dates, actes, auteurs et motifs en clair, sous un pseudonyme",
        "laisser le bureau de vote tout vérifier",
        register,
    )


def _delivery(one: Mapping[str, Any], zone: ZoneInfo) -> dict[str, str]:
    places = ", ".join(f"{_CHANNELS.get(way, way)} : {where}" for way, where in sorted(one["destinations"].items()))
    return {
        "at": _moment(one["at"], zone),
        "reference": one["reference"],
        "number": str(one["generation"]),
        "places": places,
        "state": _STATES.get(one["status"], one["status"]),
        "sealed": "oui, chiffrés" if one["is_sealed"] else "non, effacés",
    }


def _moment(text: str, zone: ZoneInfo) -> str:
    local = datetime.fromisoformat(text).astimezone(zone)
    return f"{french_date(local.date())} à {french_time(local)}"


def _day(text: str, zone: ZoneInfo) -> str:
    return french_date(datetime.fromisoformat(text).astimezone(zone).date())
