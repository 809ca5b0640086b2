"""The French of the command: whole, up to date, with the same values, typeset; and what it is on
screen, beside the English.
"""

from __future__ import annotations

import ast
import http.server
import json
import os
import re
import string
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import reassort.election
import reassort.election_file
import translations
from babel.messages.catalog import Message
from botocore.exceptions import ClientError
from reassort.election import ElectionFileError
from reassort.french import typeset
from reassort_ops.aws_faults import aws_fault
from reassort_ops.cli import app
from reassort_ops.election_faults import election_fault, said
from reassort_ops.language import VARIABLE
from typer.main import get_command

from harness.elections import FOLDER
from tests.unit.ops.rolls import row, write_roll

CATALOGUE = translations.catalogue()
# Of Typer's, and of the command before it spoke French.
ENGLISH = re.compile(
    r"\b(usage|options:|arguments:|commands:|show this|required|default:|env var|error|missing|the|with|which|voters?"
    r"|example|and|whose|nothing|exit status)\b",
    re.IGNORECASE,
)
# What stands in French pages as it is typed: commands, options, names of files and of columns.
TYPED = re.compile(
    r"^  [a-z-]+ (?= )|`[^`]*`|--[a-z-]+|reassort(?: [a-z-]+)+|make [a-z]+|[\w.-]+/[\w./<>-]+"
    r"|[\w-]+\.(?:yaml|html|json|csv|pem|md|age)"
    r"|\b[a-z]+(?:_[a-z]+)+\b|handle;[a-z;_]+|'[^']*'|\b(?:handle|status|default) et status\b|agent\|[a-z|]+",
    re.MULTILINE,
)


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _values(text: str) -> set[str]:
    return {f"{name}!{kind}" for _, name, _, kind in string.Formatter().parse(text) if name is not None}


@cache
def pages(language: str) -> dict[str, str]:
    """Return the help page of every command, by what is typed; one process makes them all."""
    program = (
        "import json, sys\n"
        "from click.testing import CliRunner\n"
        "from typer.main import get_command\n"
        "from reassort_ops.cli import app\n"
        "def every(group, path=()):\n"
        "    yield path\n"
        "    for name, one in getattr(group, 'commands', {}).items():\n"
        "        yield from every(one, (*path, name))\n"
        "command, run = get_command(app), CliRunner()\n"
        "print(json.dumps({' '.join(one): run.invoke(command, [*one, '--help'], prog_name='reassort').output\n"
        "    for one in every(command)}))\n"
    )
    return dict(_run(language, "-c", program))


def _run(language: str, *arguments: str) -> Any:
    environ = {**os.environ, VARIABLE: language, "COLUMNS": "200"}
    done = subprocess.run([sys.executable, *arguments], env=environ, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.req("O13")
def test_catalogue_is_that_of_the_code() -> None:
    current = translations.up_to_date()
    assert translations.CATALOGUE.read_bytes() == translations.as_po(current), "run make translations"
    assert translations.CATALOGUE.with_suffix(".mo").read_bytes() == translations.as_mo(CATALOGUE)


@pytest.mark.req("O13")
def test_every_text_has_a_french_one_with_the_same_values() -> None:
    texts = [one for one in CATALOGUE if one.id]
    assert len(texts) > 900
    assert [one.id for one in texts if one.fuzzy] == []
    assert [one.id for one in texts if not all(text.strip() for text in _texts(one.string or ""))] == []
    assert [one.id for one in texts if not _same_values(one)] == []


def _same_values(message: Message) -> bool:
    wanted = _values(_texts(message.id)[-1])
    return all(_values(text) == wanted for text in _texts(message.string))


@pytest.mark.req("O13")
def test_french_is_typeset() -> None:
    texts = [text for one in CATALOGUE if one.id for text in _texts(one.string)]
    assert [text for text in texts if typeset(text) != text] == []
    assert [text for text in texts if re.search(r"\w'\w", TYPED.sub("", text))] == []
    assert [text for text in texts if re.search(r"\b(tu|tes|ton)\b", text)] == []


@pytest.mark.req("O13")
def test_an_example_is_the_same_command_in_both_languages() -> None:
    examples = [one for one in CATALOGUE if one.id and str(one.id).startswith("Example: ")]
    assert len(examples) > 35
    for one in examples:
        options = [re.findall(r"(?<= )--[a-z-]+", text) for text in (str(one.id), str(one.string))]
        assert options[0] == options[1], one.id
        assert str(one.string).startswith("Exemple\u00a0: reassort ")


@pytest.mark.req("O13")
def test_help_is_french_by_default_and_english_on_demand() -> None:
    french, english = pages("fr"), pages("en")
    assert french.keys() == english.keys()
    assert len(french) > 40
    for command, page in french.items():
        assert page != english[command]
        assert page.startswith("Utilisation\u00a0: reassort")
        assert "Afficher cette page" in page
        left = set(ENGLISH.findall(TYPED.sub("", page).replace("[OPTIONS]", ""))) - {"status", "usage"}
        assert left == set(), (command, left)
        assert english[command].startswith("Usage: reassort")


def test_every_value_has_a_name_and_no_type_of_python() -> None:
    for page in (*pages("fr").values(), *pages("en").values()):
        assert re.findall(r"<(?:int|float|path|str|text)[^>]*>", page) == []
    assert "COMMANDE" in pages("fr")[""]


def _parameters(command: Any) -> Iterator[Any]:
    yield from command.get_params(command.make_context("reassort", [], resilient_parsing=True))
    for one in getattr(command, "commands", {}).values():
        yield from _parameters(one)


def test_a_terminal_shows_no_type_of_python_either() -> None:
    every = list(_parameters(get_command(app)))
    assert len(every) > 200
    shown = {one.display_type_rich(ctx=None) for one in every}
    assert {name for name in shown if name and "<" in name} == set()


DIJON = str(FOLDER / "dijon-2018.yaml")
FAULTS = {
    "an unknown option": (
        ["roll", "check", "--errorss", "x"],
        2,
        "l’option --errorss n’existe pas (peut-être --errors)",
    ),
    "a missing argument": (["roll", "check"], 2, "FICHIER manque"),
    "a missing option": (["purge"], 2, "--stack manque"),
    "a wrong number": (["purge", "--stack", "x", "--threads", "0"], 2, "--threads demande un nombre de 1 à 64"),
    "an unknown command": (["roll", "imports"], 2, "«\u00a0imports\u00a0» n’est pas compris ici (peut-être import)"),
    "a wrong file": (["roll", "check", "no.csv", "--election", DIJON], 1, "no.csv\u00a0: ce fichier n’existe pas"),
    "no election file": (
        ["roll", "check", "x.csv", "--election", "no.yaml"],
        1,
        "no.yaml\u00a0: ce fichier n’existe pas",
    ),
    "an unknown profile": (
        ["purge", "--stack", "x", "--profile", "no-such"],
        1,
        "il n’existe pas de profil AWS no-such",
    ),
    "no credentials": (["purge", "--stack", "x", "--region", "eu-west-3"], 1, "pas d’identifiants AWS"),
}


@cache
def refusals() -> dict[str, list[Any]]:
    """Return status, output and error of each fault, in French; one process makes them all."""
    program = (
        "import json, sys\n"
        "from typer.testing import CliRunner\n"
        "from reassort_ops.cli import app\n"
        "run, told = CliRunner(), {}\n"
        "for name, (arguments, _, _) in json.loads(sys.argv[1]).items():\n"
        "    done = run.invoke(app, arguments)\n"
        "    told[name] = [done.exit_code, done.stdout, done.stderr]\n"
        "print(json.dumps(told))\n"
    )
    hidden = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environ = {**hidden, VARIABLE: "fr", "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(FAULTS)], env=environ, capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout))


@pytest.mark.req("O13")
@pytest.mark.parametrize("name", FAULTS)
def test_an_error_is_one_line_in_french(name: str) -> None:
    _, wanted, told = FAULTS[name]
    status, output, error = refusals()[name]
    assert (status, output, error.count("\n")) == (wanted, "", 1)
    assert error.startswith(f"reassort\u00a0: {told}")
    # Cause, then the way out.
    assert re.search(r"[;:] ?(voir|vérifiez|connectez)", error.replace("\u00a0", " ").replace("\u202f", " "))


class _ForbiddingAws(http.server.BaseHTTPRequestHandler):
    """An AWS that permits nothing, and says so in English."""

    def do_POST(self) -> None:
        self.send_response(403)
        self.end_headers()
        told = "<Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/x is not authorized</Message>"
        self.wfile.write(f"<ErrorResponse><Error>{told}</Error></ErrorResponse>".encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
        """Say nothing."""


@pytest.mark.req("O13")
def test_a_refusal_of_aws_is_one_line_in_french() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), _ForbiddingAws) as aws:
        threading.Thread(target=aws.serve_forever, daemon=True).start()
        environ = {
            **os.environ,
            VARIABLE: "fr",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{aws.server_port}",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
        }
        command = [sys.executable, "-m", "reassort_ops", "purge", "--stack", "x", "--region", "eu-west-3"]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        aws.shutdown()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "reassort\u00a0: AWS ne vous permet pas DescribeStacks (AccessDenied)\u00a0: prenez un rôle qui le permet, "
        "ou faites-vous accorder ce droit\n"
    )


def _layer_sentences(module: Any) -> list[str]:
    """Give what the rules of an election file say, with a sign for each value."""
    found = []
    for node in ast.walk(ast.parse(Path(module.__file__).read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "ValueError" and node.args:
            said_so = node.args[0]
            parts = said_so.values if isinstance(said_so, ast.JoinedStr) else [said_so]
            found.append("".join(str(one.value) if isinstance(one, ast.Constant) else "7" for one in parts))
    return [one for one in found if re.search("[a-z]{3}", one)]


@pytest.mark.req("O13")
@pytest.mark.parametrize("module", [reassort.election, reassort.election_file], ids=["election", "election_file"])
def test_every_rule_of_an_election_file_has_its_sentence(module: Any) -> None:
    sentences = _layer_sentences(module)
    assert len(sentences) > 5
    assert [one for one in sentences if said(one.replace("defects must 7be", "defects must be")) is None] == []


@pytest.mark.req("O13")
@pytest.mark.parametrize("name", ["_PLAIN", "_KINDS"])
def test_every_fault_of_a_field_has_its_sentence(name: str) -> None:
    wordings: dict[str, str] = getattr(reassort.election_file, name)
    forms = [f"is not of the form: {one}" for one in reassort.election_file._FORMS.values()]
    bare = [re.sub(r"\{\w+\}", "7", one) for one in (*wordings.values(), *forms)]
    assert [one for one in bare if said(one) is None] == []


def test_faults_of_an_election_file_are_one_line() -> None:
    faults = ElectionFileError("x.yaml: windows: closes before it opens\nx.yaml: id: is required and missing")
    assert election_fault(faults) == "x.yaml: windows: closes before it opens; x.yaml: id: is required and missing"
    unread = ElectionFileError("x.yaml:7: mapping values are not allowed here")
    assert election_fault(unread) == "x.yaml:7: this line is not YAML: check its blanks, hyphens, colons and quotes"


@pytest.mark.req("O13")
def test_what_a_program_reads_is_the_same_in_both_languages(tmp_path: Path) -> None:
    faulty = [row(1), row(2, numen=row(2).numen + "X"), row(3, identifier=row(3).identifier[:-2])]
    file = write_roll(tmp_path, faulty)
    program = (
        "import json, sys\n"
        "from typer.testing import CliRunner\n"
        "from reassort_ops.cli import app\n"
        "done = CliRunner().invoke(app, sys.argv[1:])\n"
        "print(json.dumps([done.exit_code, done.stdout]))\n"
    )
    command = ["roll", "check", str(file), "--election", DIJON]
    as_json = [_run(language, "-c", program, *command, "--json") for language in ("fr", "en")]
    assert as_json[0] == as_json[1]
    assert "is not of the form" in as_json[0][1]
    assert "n’est pas de la forme" in _run("fr", "-c", program, *command)[1]


@pytest.mark.req("O13")
@pytest.mark.parametrize(
    "code", ["ExpiredTokenException", "InvalidClientTokenId", "AccessDenied", "ThrottlingException", "Odd"]
)
def test_what_aws_says_is_not_repeated(code: str) -> None:
    error = ClientError({"Error": {"Code": code, "Message": "User: arn:aws:iam::1:user/x is not"}}, "GetItem")
    told = aws_fault(error)
    assert "arn:" not in told
    assert re.search("[:;] (sign in|take|run)", told)
