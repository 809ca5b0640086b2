"""The only reader of environment variables."""

import os
from collections.abc import Mapping
from dataclasses import fields


class MissingSettingError(RuntimeError):
    """A variable that a function needs is not set. The message is its name."""


def read_settings[T](model: type[T], environ: Mapping[str, str] = os.environ) -> T:
    """Build a frozen dataclass of strings from the variables named like its fields, in upper case.

    Raises:
        MissingSettingError: a variable is absent or empty; a function that cannot work must not
            start.
    """
    values: dict[str, str] = {}
    for field in fields(model):  # type: ignore[arg-type]
        name = field.name.upper()
        if not (value := environ.get(name, "")):
            raise MissingSettingError(name)
        values[field.name] = value
    return model(**values)


def is_under_snap_start(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether what is in memory once this function has started goes into a snapshot, from
    which many environments resume.
    """
    return environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"
