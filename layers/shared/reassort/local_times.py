"""The hours of voters overseas, by the country code of their mobile number.

A message knows the number that was given and not where its reader is; a page knows the browser's
own time zone (`site/scripts/voting.js`).
"""

from typing import NamedTuple


class Place(NamedTuple):
    """An IANA time zone, and where that is, as in « 12 h aux Antilles »."""

    zone: str
    where: str


_MAYOTTE = Place("Indian/Mayotte", "à Mayotte")
# Mayotte shares +262 with La Réunion and has mobiles of its own. Saint-Barthélemy and Saint-Martin
# share +590 and the hour of Guadeloupe. The longest prefix counts.
PLACES = {
    "+262639": _MAYOTTE,
    "+2627093": _MAYOTTE,
    "+262": Place("Indian/Reunion", "à La Réunion"),
    "+508": Place("America/Miquelon", "à Saint-Pierre-et-Miquelon"),
    "+590": Place("America/Guadeloupe", "aux Antilles"),
    "+594": Place("America/Cayenne", "en Guyane"),
    "+596": Place("America/Martinique", "aux Antilles"),
    "+681": Place("Pacific/Wallis", "à Wallis-et-Futuna"),
    "+687": Place("Pacific/Noumea", "en Nouvelle-Calédonie"),
    "+689": Place("Pacific/Tahiti", "à Tahiti"),
}
ZONES = frozenset(place.zone for place in PLACES.values())
# What the hour of a time zone is called, where its name in the database is not that.
_HOURS = {
    "America/Cayenne": "Guyane",
    "America/Miquelon": "Saint-Pierre-et-Miquelon",
    "Indian/Reunion": "La Réunion",
    "America/Marigot": "Saint-Martin",
    "America/St_Barthelemy": "Saint-Barthélemy",
    "Pacific/Marquesas": "Marquises",
    "Pacific/Noumea": "Nouvelle-Calédonie",
    "Pacific/Wallis": "Wallis-et-Futuna",
}


def place_of(phone: str) -> Place | None:
    """Return where a mobile in E.164 is at home, or None for the mainland."""
    return next((place for prefix, place in PLACES.items() if phone.startswith(prefix)), None)


def zone_name(zone: str) -> str:
    """Return `Paris` of `Europe/Paris`, as in « heure de Paris »."""
    return _HOURS.get(zone) or zone.rpartition("/")[2].replace("_", " ")
