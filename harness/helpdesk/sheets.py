"""Sheets of voters as `POST /helpdesk/look` gives them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from helpdesk.phrases import PHRASES
from reassort.clock import iso

from harness.helpdesk.mocked_desk import NOW

if TYPE_CHECKING:
    from collections.abc import Collection

# What each act is called, and what it says that it will do.
ACTS = {
    "unlock": (
        "Débloquer les demandes",
        "Les saisies fausses sont oubliées : l’électeur peut recommencer tout de suite.",
    ),
    "let-in": (
        "Laisser passer un code",
        "Le prochain code demandé depuis la page qui affiche ce numéro part tout de suite à la messagerie "
        "professionnelle.",
    ),
    "freeze": (
        "Geler l’identifiant",
        "L’identifiant ne permet plus de voter, les sessions ouvertes se ferment et aucune demande n’est acceptée.",
    ),
    "unfreeze": ("Dégeler l’identifiant", "L’identifiant actuel permet de nouveau de voter."),
    "reissue": (
        "Donner l’identifiant suivant",
        "Un nouvel identifiant part à la messagerie professionnelle. L’identifiant actuel ne fonctionnera plus jamais.",
    ),
}


def act(name: str, *needs: str, why: str | None = None) -> dict[str, Any]:
    """Return an act as a sheet offers it, or refuses it with a reason."""
    label, does = ACTS[name]
    offered = {"act": name, "label": label, "does": does, "needs": ["reason", *needs], "allowed": why is None}
    return offered if why is None else {**offered, "why": why}


def advice(name: str, words: str, for_act: str | None = None) -> dict[str, Any]:
    """Return an advice with its phrases."""
    phrase = PHRASES[name]
    given = {"name": name, "words": words, "say": phrase.say, "never_say": phrase.never_say}
    return given if for_act is None else {**given, "act": for_act}


def event(ago: timedelta, name: str, words: str, **members: Any) -> dict[str, Any]:
    """Return a line of the timeline."""
    at = NOW - ago
    moment = f"vendredi 30 novembre à {at.hour + 1} h {at.minute:02d}"
    return {"at": iso(at), "moment": moment, "name": name, "words": words, **members}


def sheet(*advised: dict[str, Any], caller: str = "not-asked", **members: Any) -> dict[str, Any]:
    """Return a sheet; `members` replace its own."""
    callers = {
        "verified": "vérifié : lit la messagerie professionnelle en ce moment",
        "wrong-code": "NON VÉRIFIÉ : les deux mots ne correspondent pas",
        "not-asked": "non vérifié",
    }
    return {
        "address": "c•••@ac-dijon.fr",
        "voter_known_by": "address",
        "establishment": "Lycée Carnot, Dijon",
        "secretariat": "Secrétariat du lycée Carnot",
        "caller": caller,
        "situation": advised[0]["name"] if advised else "sign-in",
        "status": [
            {"label": "Appelant", "words": callers[caller]},
            {"label": "Électeur", "words": "c•••@ac-dijon.fr"},
            {"label": "Établissement", "words": "Lycée Carnot, Dijon"},
            {"label": "Secrétariat", "words": "Secrétariat du lycée Carnot"},
            {"label": "Identifiant", "words": "n° 1, valable, depuis lundi 5 novembre à 8 h 30"},
            {"label": "Session", "words": "ouverte sur le site, jusqu’à 10 h 42 au moins"},
        ],
        "advice": list(advised),
        "timeline": [
            event(timedelta(minutes=9), "code-asked", "Code de connexion demandé."),
            event(timedelta(minutes=8), "signed-in", "Connexion au site avec un code."),
        ],
        "acts": usual_acts(),
        "session_ends_at": iso(NOW + timedelta(minutes=27)),
        "reference": None,
        **members,
    }


def usual_acts(*refused: str, second_person: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return the acts on a voter who may still vote; those `refused` say why not."""
    needs = {"let-in": ("number",), "reissue": ("address",)}
    return [
        act(
            name,
            *needs.get(name, ()),
            *(("second-person",) if name in second_person else ()),
            why="rien à faire" if name in refused else None,
        )
        for name in ("unlock", "let-in", "freeze", "reissue")
    ]


ASK_CODE = advice(
    "ask-caller-code",
    "Demandez les « deux mots à lire à l’assistance », affichés sur la page que l’électeur a ouverte.",
)
LOCKED = (
    advice("unlock", "Vérifiez l’appelant, puis débloquez ses demandes.", "unlock"),
    advice(
        "ask-secretariat",
        "NUMEN faux : « Secrétariat du lycée Carnot » remet le bon NUMEN, dans une enveloppe cachetée.",
    ),
)
SMS_FAILED = advice(
    "reissue",
    "Ce même identifiant ne peut plus être renvoyé : faites refaire une demande. Si l’électeur ne le peut pas, "
    "vérifiez l’appelant et donnez-lui un nouvel identifiant par courriel.",
    "reissue",
)
