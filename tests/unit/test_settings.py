"""Settings: a function without one of them does not start, and says which."""

from dataclasses import dataclass

import pytest
from reassort.settings import MissingSettingError, read_settings


@dataclass(frozen=True)
class ExampleSettings:
    election: str
    hmac_key: str


def test_settings_are_the_variables_named_like_the_fields() -> None:
    assert read_settings(ExampleSettings, {"ELECTION": "dijon-2018", "HMAC_KEY": "k", "PATH": "/"}) == ExampleSettings(
        "dijon-2018", "k"
    )


@pytest.mark.req("S25")
@pytest.mark.parametrize("environ", [{"ELECTION": "dijon-2018"}, {"ELECTION": "dijon-2018", "HMAC_KEY": ""}])
def test_missing_or_empty_setting_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(MissingSettingError, match=r"^HMAC_KEY$"):
        read_settings(ExampleSettings, environ)
