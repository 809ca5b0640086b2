"""How a roll is opened: its encoding, its delimiter and its header; or why it is none."""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING

import pytest
from reassort_ops.roll.file import RollFile, RollFileError, _raw_lines, open_roll

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "email;numen;establishment;identifier\n"
# As many letters as tell the code page.
NAMES = "Chénôve;Écoles du Sacré-Cœur;Dégagné;Sévère\n"
# Longer than any line may be.
TOO_LONG = 70_000


def opened(folder: Path, content: bytes, *, issuing: bool = False, partial: bool = False) -> RollFile:
    """Open a file that holds `content`."""
    path = folder / "roll.csv"
    path.write_bytes(content)
    return open_roll(path, issuing=issuing, partial=partial)


def refusal_of(folder: Path, content: bytes) -> RollFileError:
    """Return why a file that holds `content` is no roll."""
    with pytest.raises(RollFileError) as refusal:
        opened(folder, content)
    return refusal.value


class TestUnreadable:
    """A file that is no roll at all is refused in one line that says why."""

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "is empty"),
            (b"\n;;;;\n", "is empty"),
            (codecs.BOM_UTF16_LE + "email;numen".encode("utf-16-le") + b"\n", "not whole UTF-16"),
            (b"PK\x03\x04xlsx", "is a spreadsheet"),
            (b"email;numen\n\0\n", ":2: holds a NUL byte"),
            (b"x" * 70_000, "more than 65536 bytes"),
            # D\u00d4LE in Windows-1252, D\u00c8LE in CP850.
            (b"email;numen\nD\xd4LE\n", ":2: is not UTF-8, and its letters do not tell"),
            ("é\n".encode() + "é\n".encode("cp1252"), ":2: is not UTF-8, but line 1 is"),
            (b"email;numen;identifier\n", "column establishment is missing"),
            (b"prenom.nom@ac-dijon.fr;00E0000001ABC;Lycee;;X\n", ":1: is a row and not a header"),
            (b"Claire;Martin;00E0000001ABC\n", ":1: is a row and not a header"),
            (b"email;courriel;numen;establishment;identifier\n", "column email is there twice"),
            (b"email;numen;establishment;identifier;numen\n", "column numen is there twice"),
        ],
    )
    def test_the_reason_is_named(self, tmp_path: Path, content: bytes, reason: str) -> None:
        with pytest.raises(RollFileError) as refusal:
            opened(tmp_path, content)
        assert reason in str(refusal.value)
        assert "\n" not in str(refusal.value)

    @pytest.mark.parametrize(
        ("content", "line", "motif"),
        [
            (b"", 1, "le fichier est vide"),
            (b"\xd0\xcf\x11\xe0xls", 1, "le fichier ne peut pas être lu comme une liste électorale"),
            (
                HEADER.encode() + b"\n" + b"x" * TOO_LONG,
                3,
                "le fichier ne peut pas être lu comme une liste électorale",
            ),
            (HEADER.encode() + b"a\0\n", 2, "le fichier ne peut pas être lu comme une liste électorale"),
            (
                (HEADER + NAMES).encode() + NAMES.encode("cp1252") + b"\n",
                3,
                "la ligne n’est pas en UTF-8, alors que la ligne 2 l’est : le fichier mêle deux encodages",
            ),
            (
                (HEADER + NAMES).encode("cp1252") + NAMES.encode(),
                2,
                "la ligne n’est pas en UTF-8, alors que la ligne 3 l’est : le fichier mêle deux encodages",
            ),
            (
                HEADER.encode() + b"D\xd4LE\n" * 2,
                2,
                "l’encodage ne peut pas être reconnu : enregistrez le fichier en « CSV UTF-8 »",
            ),
            (
                (HEADER + NAMES * 4).encode("cp1252") + b"\x81\n",
                6,
                "la ligne contient un octet qui n’est pas une lettre en Windows-1252 : elle est abîmée",
            ),
            (
                b"\n00E0000001ABC;Lycee\n",
                2,
                "la première ligne n’est pas un en-tête : elle doit nommer les colonnes",
            ),
            (
                b"\nmel;courriel;service;ecole;identifiant\n",
                2,
                "la colonne « email » figure deux fois ; la colonne « establishment » figure deux fois ; "
                "il manque la colonne « numen »",
            ),
        ],
        ids=[
            "empty",
            "spreadsheet",
            "long line",
            "NUL byte",
            "Windows-1252 after UTF-8",
            "UTF-8 after Windows-1252",
            "no code page",
            "damaged",
            "row",
            "header",
        ],
    )
    def test_the_ministry_is_told_the_line_and_the_reason_in_french(
        self, tmp_path: Path, content: bytes, line: int, motif: str
    ) -> None:
        refusal = refusal_of(tmp_path, content)
        assert (refusal.line, refusal.motif) == (line, motif)

    @pytest.mark.parametrize(
        ("text", "line"), [("email;numen", 1), (HEADER + "x" * TOO_LONG, 2)], ids=["half a character", "long line"]
    )
    def test_utf_16_that_cannot_be_read_has_its_line(self, tmp_path: Path, text: str, line: int) -> None:
        # The half is of the last character.
        content = text.encode("utf-16") + (b"\n" if line == 1 else b"")
        refusal = refusal_of(tmp_path, content)
        assert refusal.line == line
        assert ("after line 1" in str(refusal)) == (line == 1)
        assert (":2: the line is too long" in str(refusal)) == (line == 2)

    def test_a_line_may_be_as_long_as_the_longest(self, tmp_path: Path) -> None:
        longest = HEADER + "x" * 65_534 + "\n"
        assert opened(tmp_path, longest.encode()).size == len(longest)
        assert ":2: the line has more" in str(refusal_of(tmp_path, (HEADER + "x" + longest[len(HEADER) :]).encode()))
        wide = HEADER + "x" * 65_535 + "\n"
        assert opened(tmp_path, wide.encode("utf-16")).encoding == "utf-16"
        assert ":2: the line is too long" in str(
            refusal_of(tmp_path, (HEADER + "x" + wide[len(HEADER) :]).encode("utf-16"))
        )

    def test_a_line_without_end_is_not_read_to_the_end_of_the_file(self) -> None:
        file = io.BytesIO(b"x" * 400_000)
        assert [len(line) for line in _raw_lines(file, ends_in_cr=True)] == [65_536]
        assert file.tell() == 65_536


class TestEncoding:
    """The encoding is that of every letter of the file."""

    @pytest.mark.parametrize(
        ("content", "encoding"),
        [
            (codecs.BOM_UTF16_LE + HEADER.encode("utf-16-le"), "utf-16"),
            (codecs.BOM_UTF16_BE + HEADER.encode("utf-16-be"), "utf-16"),
            (HEADER.encode("utf-16-le"), "utf-16-le"),
            (HEADER.encode("utf-16-be"), "utf-16-be"),
            ((HEADER + "Sacré-Cœur\n").encode("utf-16-le"), "utf-16-le"),
            ((HEADER + "Sacré-Cœur\n").encode("utf-16-be"), "utf-16-be"),
        ],
    )
    def test_utf_16_is_told_with_a_bom_and_without(self, tmp_path: Path, content: bytes, encoding: str) -> None:
        roll = opened(tmp_path, content)
        assert (roll.encoding, roll.encoding_name) == (encoding, "UTF-16")

    @pytest.mark.parametrize("content", [b"a\0b\0;numen\n", b"\0a\0b;numen\n", b"\0\0\0\0\n", b"\0", b"\0a\0\0\0b"])
    def test_a_few_nul_bytes_are_no_utf_16(self, tmp_path: Path, content: bytes) -> None:
        assert ":1: holds a NUL byte" in str(refusal_of(tmp_path, content))

    def test_one_letter_alone_is_no_utf_16(self, tmp_path: Path) -> None:
        assert "column email is missing" in str(refusal_of(tmp_path, b"a"))

    def test_the_first_letter_of_the_file_counts(self, tmp_path: Path) -> None:
        text = "Établissement;courriel;numen;identifiant\n" + NAMES
        for encoding, name in (("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("cp1252", "Windows-1252")):
            assert opened(tmp_path, text.encode(encoding)).encoding_name == name

    def test_the_last_letter_of_an_old_mac_counts(self, tmp_path: Path) -> None:
        content = (HEADER + "\n" + NAMES).strip().replace("\n", "\r").encode("mac-roman")
        assert opened(tmp_path, content).encoding_name == "Mac Roman"

    def test_a_cr_inside_a_line_does_not_join_the_lines(self, tmp_path: Path) -> None:
        content = HEADER + "Lycée\rDijon\n" * 10_000
        assert opened(tmp_path, content.encode()).size == len(content.encode())

    @pytest.mark.parametrize("by_chance", ["ÇŒ", "Ëœ", "Ë†", "Æ’"])
    @pytest.mark.parametrize("first", [True, False])
    def test_what_is_utf_8_by_chance_does_not_make_a_file_utf_8(
        self, tmp_path: Path, *, by_chance: str, first: bool
    ) -> None:
        text = HEADER + (f"{by_chance}\n{NAMES}" if first else f"{NAMES}{by_chance}\n")
        assert opened(tmp_path, text.encode("cp1252")).encoding_name == "Windows-1252"

    @pytest.mark.parametrize("name", ["Lycée", "Dvořák č", "\ufeffLycée"], ids=["of France", "foreign", "after a BOM"])
    def test_a_name_that_is_utf_8_for_certain_is_not_mixed_with_a_code_page(self, tmp_path: Path, name: str) -> None:
        content = f"{name};{HEADER}".encode() + NAMES.encode("cp1252")
        assert ":2: is not UTF-8, but line 1 is" in str(refusal_of(tmp_path, content))


class TestHeader:
    """The first line that is not blank names the columns."""

    def test_what_is_found_is_told(self, tmp_path: Path) -> None:
        content = b'\n"sep=,"\n;;\nGrade,email,"numen",ecole,identifiant,,Corps,,\n'
        roll = opened(tmp_path, content)
        assert (roll.size, roll.delimiter, roll.header, roll.width, roll.unused) == (len(content), ",", 4, 7, 3)
        assert roll.positions == (1, 2, 3, None, 4, None)

    def test_a_delimiter_is_given_once(self, tmp_path: Path) -> None:
        assert ":2: column email is missing" in str(refusal_of(tmp_path, b"sep=,\nsep=;\nemail;numen\n"))

    def test_a_column_without_a_name_may_come_first(self, tmp_path: Path) -> None:
        assert opened(tmp_path, f";{HEADER}".encode()).positions == (1, 2, 3, None, 4, None)
        assert opened(tmp_path, b"email;numen;ecole;;identifiant\n").positions == (0, 1, 2, None, 4, None)

    def test_a_header_whose_quotes_do_not_match_names_no_column(self, tmp_path: Path) -> None:
        assert str(refusal_of(tmp_path, b'"email;numen\n')).endswith(
            ":1: column email is missing; column numen is missing; column establishment is missing; "
            "column identifier is missing, and --issue, which issues identifiers, is not given (the header names "
            "email, numen, establishment, secretariat, identifier, extra_proof, or what offices call them in French)"
        )

    @pytest.mark.parametrize(
        ("known", "missing"), [("courriel;ecole;identifiant", "numen"), ("numen;ecole;identifiant", "email")]
    )
    def test_a_header_may_name_an_address_beside_a_column_that_is_known(
        self, tmp_path: Path, known: str, missing: str
    ) -> None:
        content = f"{known};rh@ac-dijon.fr\n".encode()
        assert f":1: column {missing} is missing (" in str(refusal_of(tmp_path, content))

    @pytest.mark.parametrize("cells", ["prenom.nom@ac-dijon.fr;Lycee", "Claire;Martin;00e0000001abc"])
    def test_an_address_or_a_numen_tells_a_row(self, tmp_path: Path, cells: str) -> None:
        assert ":1: is a row and not a header" in str(refusal_of(tmp_path, f"{cells}\n".encode()))

    def test_a_header_that_names_neither_is_no_row(self, tmp_path: Path) -> None:
        assert ":1: column email is missing; column numen is missing (" in str(
            refusal_of(tmp_path, b"ecole;identifiant\n")
        )

    def test_identifiers_are_needed_unless_they_are_issued(self, tmp_path: Path) -> None:
        bare = b"email;numen;ecole\n"
        assert "column identifier is missing, and --issue" in str(refusal_of(tmp_path, bare))
        roll = opened(tmp_path, bare, issuing=True)
        assert (roll.issuing, roll.partial, roll.positions) == (True, False, (0, 1, 2, None, None, None))

    def test_of_a_partial_file_the_addresses_are_enough(self, tmp_path: Path) -> None:
        roll = opened(tmp_path, b"courriel\n", partial=True)
        assert (roll.issuing, roll.partial, roll.positions) == (False, True, (0, None, None, None, None, None))
        with pytest.raises(RollFileError, match=":1: column email is missing"):
            opened(tmp_path, b"numen\n", partial=True)


def test_addresses_alone_are_a_roll_only_where_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "roll.csv"
    path.write_bytes(b"email\nclaire.martin@ac-dijon.fr\n")
    assert open_roll(path, partial=True).positions[0] == 0
    with pytest.raises(RollFileError):
        open_roll(path)


def test_a_carriage_return_in_a_cell_ends_no_line(tmp_path: Path) -> None:
    content = f"{HEADER}a@b.fr;1;Carnot\rDijon;\n{'x' * TOO_LONG}\n"
    assert refusal_of(tmp_path, content.encode()).line == 3
