"""Election files as operators write them (`elections/<id>.yaml`)."""

from pathlib import Path

from reassort.election import ElectionFileError
from reassort.election_file import ElectionFile, read_election_file

from reassort_ops.language import tr

DEFAULT_FOLDER = Path("elections")


def election_of(election_id: str, folder: Path) -> ElectionFile:
    """Read the election with this id.

    Raises:
        ElectionFileError: there is none in the folder, or it is not valid.
    """
    path = folder / f"{election_id}.yaml"
    if not path.is_file():
        raise ElectionFileError(tr("{path}: no such election file in the folder of --elections", path=path))
    return read_election_file(path)


def only_election(folder: Path) -> ElectionFile:
    """Read the election of a folder that holds one.

    Raises:
        ElectionFileError: it holds none or several, or the one is not valid.
    """
    files = sorted(folder.glob("*.yaml"))
    if len(files) != 1:
        found = ", ".join(map(str, files)) or tr("{folder} holds none", folder=folder)
        raise ElectionFileError(tr("--election must name an election file ({found})", found=found))
    return read_election_file(files[0])
