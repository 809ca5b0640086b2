"""A mobile of an overseas territory is told the hour there, and no other mobile is."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from reassort.local_times import ZONES, place_of, zone_name

AT_HOME = {
    "+262639123456": ("Indian/Mayotte", "à Mayotte"),
    "+262709312345": ("Indian/Mayotte", "à Mayotte"),
    "+262692123456": ("Indian/Reunion", "à La Réunion"),
    "+508551234": ("America/Miquelon", "à Saint-Pierre-et-Miquelon"),
    "+590690123456": ("America/Guadeloupe", "aux Antilles"),
    "+594694123456": ("America/Cayenne", "en Guyane"),
    "+596696123456": ("America/Martinique", "aux Antilles"),
    "+681821234": ("Pacific/Wallis", "à Wallis-et-Futuna"),
    "+687751234": ("Pacific/Noumea", "en Nouvelle-Calédonie"),
    "+68987123456": ("Pacific/Tahiti", "à Tahiti"),
}
pytestmark = pytest.mark.req("O14")


@pytest.mark.parametrize(("phone", "place"), AT_HOME.items())
def test_a_mobile_is_at_home_where_its_number_says(phone: str, place: tuple[str, str]) -> None:
    assert place_of(phone) == place


def test_a_mobile_of_the_mainland_has_no_hour_of_its_own() -> None:
    assert place_of("+33612345678") is None


def test_every_place_has_a_time_zone_that_there_is() -> None:
    assert {zone for zone, _ in AT_HOME.values()} == ZONES
    assert all(ZoneInfo(zone).key == zone for zone in ZONES)


@pytest.mark.parametrize(
    ("zone", "hour"),
    [
        ("Europe/Paris", "Paris"),
        ("America/St_Johns", "St Johns"),
        ("America/Argentina/Salta", "Salta"),
        ("UTC", "UTC"),
        ("America/Cayenne", "Guyane"),
        ("America/Miquelon", "Saint-Pierre-et-Miquelon"),
        ("Indian/Reunion", "La Réunion"),
        ("America/Marigot", "Saint-Martin"),
        ("America/St_Barthelemy", "Saint-Barthélemy"),
        ("Pacific/Gambier", "Gambier"),
        ("Pacific/Marquesas", "Marquises"),
        ("Pacific/Noumea", "Nouvelle-Calédonie"),
        ("Pacific/Tahiti", "Tahiti"),
        ("Pacific/Wallis", "Wallis-et-Futuna"),
    ],
)
def test_an_hour_is_called_as_people_call_it(zone: str, hour: str) -> None:
    assert zone_name(zone) == hour
