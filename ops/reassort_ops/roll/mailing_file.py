"""The file for those who mail the identifiers: CSV, encrypted with age as it is written, never in
the clear on a disk or a screen.

A spreadsheet opens it correctly: UTF-8 with the mark that Excel expects, and no cell that a
spreadsheet would compute.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path

from pyrage import EncryptError, RecipientError, encrypt_io, ssh, x25519

from reassort_ops.failures import OperatorError
from reassort_ops.language import tr
from reassort_ops.spreadsheet import inert
from reassort_ops.whole_file import whole_file

type Recipient = x25519.Recipient | ssh.Recipient


@dataclass(frozen=True, slots=True)
class MailingRow:
    """What goes into one letter. The file's columns have these names, in this order; the identifier
    is grouped as voters type it.
    """

    email: str = field(repr=False)
    establishment: str
    secretariat: str
    identifier: str = field(repr=False)
    name: str = field(repr=False, default="")
    postal_address: str = field(repr=False, default="")


def read_recipients(keys: Sequence[str], files: Sequence[Path]) -> list[Recipient]:
    """Read the public keys that may open the file: `age1…`, `ssh-ed25519 …` or `ssh-rsa …`; a file
    has one a line, and comments after #.

    Raises:
        OperatorError: one is not a public key, or there is none.
        OSError: a file cannot be read.
    """
    lines = [("--recipient", key) for key in keys]
    for path in files:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip() and not line.lstrip().startswith("#"):
                lines.append((f"{path}:{number}", line))
    if not lines:
        raise OperatorError(
            tr("--issue needs --recipient or --recipients-file: the public key of those who mail the identifiers")
        )
    return [_read_recipient(where, line.strip()) for where, line in lines]


def write_mailing(path: Path, recipients: Sequence[Recipient], rows: Iterable[MailingRow]) -> int:
    """Encrypt rows into a new file as they come; return how many. The file appears once it is
    whole.

    Raises:
        OSError: it cannot be written.
        whatever `rows` raises.
    """
    source = _CsvSource(rows)
    with whole_file(path) as file:
        try:
            encrypt_io(source, file, list(recipients))
        except EncryptError:
            # The library turns every exception of its source into its own.
            if source.failure is not None:
                raise source.failure from None
            raise OSError(tr("{path}: could not be encrypted; check the keys of --recipient", path=path)) from None
    return source.count


def _read_recipient(where: str, key: str) -> Recipient:
    # A secret key is never repeated on the screen.
    if key.upper().startswith("AGE-SECRET-KEY-"):
        raise OperatorError(
            tr("{where}: is a secret key; take the public one (age1…), and make a new pair", where=where)
        )
    try:
        return ssh.Recipient.from_str(key) if key.startswith("ssh-") else x25519.Recipient.from_str(key)
    except RecipientError as error:
        raise OperatorError(
            tr("{where}: is not a public key of age (age1…) or SSH (ssh-ed25519 …): {error}", where=where, error=error)
        ) from error


class _CsvSource:
    """A file to read from, made of rows as they are asked for."""

    def __init__(self, rows: Iterable[MailingRow]) -> None:
        self.count = 0
        self.failure: BaseException | None = None
        self._lines = self._written(rows)
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most `size`."""
        try:
            while size < 0 or len(self._rest) < size:
                self._rest += next(self._lines)
        except StopIteration:
            pass
        except BaseException as error:
            self.failure = error
            raise
        end = len(self._rest) if size < 0 else size
        taken, self._rest = self._rest[:end], self._rest[end:]
        return taken

    def _written(self, rows: Iterable[MailingRow]) -> Iterator[bytes]:
        text = io.StringIO()
        text.write("\ufeff")
        writer = csv.writer(text, delimiter=";")
        writer.writerow(one.name for one in fields(MailingRow))
        for row in rows:
            writer.writerow([inert(cell) for cell in astuple(row)])
            self.count += 1
            if text.tell() > io.DEFAULT_BUFFER_SIZE:
                yield text.getvalue().encode()
                text.seek(0)
                text.truncate()
        yield text.getvalue().encode()
