"""Election files as operators write them (`elections/<id>.yaml`)."""

from pathlib import Path

import yaml
from reassort.election import Election, ElectionFileError
from reassort.election_file import parse_election

DEFAULT_FOLDER = Path("elections")


def read_election(path: Path) -> Election:
    """Read and validate one election file.

    Raises:
        ElectionFileError: it is missing, no YAML, or not a valid election; names the file, the field and the reason.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ElectionFileError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ElectionFileError(f"{path}: not UTF-8") from error
    except yaml.MarkedYAMLError as error:
        line = f"{path}:{error.problem_mark.line + 1}" if error.problem_mark else str(path)
        raise ElectionFileError(f"{line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ElectionFileError(f"{path}: not YAML") from error
    if not isinstance(content, dict):
        raise ElectionFileError(f"{path}: not an election file")
    return parse_election(content, str(path))


def election_of(election_id: str, folder: Path) -> Election:
    """Read the election with this id.

    Raises:
        ElectionFileError: there is none in the folder, or it is not valid.
    """
    path = folder / f"{election_id}.yaml"
    if not path.is_file():
        raise ElectionFileError(
            f"{path}: no such election file; --elections names the folder that the stack was built from"
        )
    election = read_election(path)
    if election.id != election_id:
        raise ElectionFileError(f"{path}: holds the election {election.id}, not {election_id}")
    return election


def only_election(folder: Path) -> Election:
    """Read the election of a folder that holds one.

    Raises:
        ElectionFileError: it holds none or several, or the one is not valid.
    """
    files = sorted(folder.glob("*.yaml"))
    if len(files) != 1:
        found = ", ".join(map(str, files)) or f"{folder} holds none"
        raise ElectionFileError(f"--election must name an election file ({found})")
    return read_election(files[0])
