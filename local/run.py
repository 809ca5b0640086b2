"""`make run`: the whole service on this machine, until Ctrl-C.

Environment:
    PORT: the port of the voter space on 127.0.0.1 (default 8080).
    ELECTION: an election file, moved to today (default elections/dijon-2018.yaml).
    ROLL: the roll of that election (default: a fictional one).
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from reassort.election import ElectionFileError
from starlette.applications import Starlette

from local.agents import make_agents
from local.aws import LocalAws, LocalAwsError, start_aws
from local.deploy import ELECTION, EmbeddedStack, build, deploy, write_demo_elections
from local.desk import Desk
from local.edge import HeadersPolicyError
from local.elections import NoFitError
from local.gateway import create_gateway
from local.processes import ROOT, CommandError, own_folder, run
from local.receipts import Receipts
from local.secure_front import secure_front

ROLL = ROOT / "data" / "demo-roll.csv"
_ROLL_MAKER = ROOT / "data" / "make_demo_roll.py"
# What a script of `site` builds, by its name.
PAGES = {"build": "site", "build_helpdesk": "helpdesk"}


class StartError(Exception):
    """The stack cannot start. The message is one line that says what to do."""


EXPECTED = (StartError, CommandError, LocalAwsError, HeadersPolicyError, ElectionFileError, NoFitError)


def main() -> int:
    """Start everything, serve, stop everything. Return the exit status."""
    # A stop must unwind like Ctrl-C does, so that every child is ended; a shell starts background
    # jobs deaf to Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with listen(os.environ.get("PORT") or "8080") as listener, own_folder("run") as folder:
            serve(listener, folder)
    except EXPECTED as error:
        print(f"Erreur : {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def listen(wanted: str) -> socket.socket:
    """Take the port first: the rest costs half a minute.

    Raises:
        StartError: it is no port, or another program has it.
    """
    if not (wanted.isdecimal() and 0 < int(wanted) < 65536):
        raise StartError(f"PORT={wanted} n’est pas un numéro de port. Essayez : PORT=8081 make run")
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", int(wanted)))
        listener.listen(128)
    except OSError as error:
        listener.close()
        other = int(wanted) % 65535 + 1
        raise StartError(
            f"le port {wanted} n’est pas libre ({error.strerror}). Essayez : PORT={other} make run"
        ) from error
    return listener


def serve(listener: socket.socket, folder: Path) -> None:
    """Bring the stack up behind `listener`, with its files in `folder`, and serve until a signal
    comes.
    """
    election, roll = chosen(os.environ, folder)
    with brought_up(listener, folder, roll, election) as local, secure_front(local.origin, folder) as secure:
        line = (
            f"Espace électeur prêt : {local.origin} (messages : {local.origin}/_local/, "
            f"assistance : {local.origin}/helpdesk/). "
            f"Avec Safari : {secure} (acceptez le certificat, fait pour cette machine)"
        )
        # The server ends in good order at a signal, then raises it again.
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(local.server(line).serve(sockets=[listener]))


def chosen(environment: Mapping[str, str], folder: Path) -> tuple[Path, Path]:
    """Return the election file and the roll that the environment names. Instead of a roll that
    it does not name there is a fictional one, in `folder` unless it is the demo's own.

    Raises:
        StartError: one of them is not there.
        CommandError: a roll for that election cannot be made.
    """
    election = Path(environment.get("ELECTION") or ELECTION)
    named = environment.get("ROLL")
    for path in (election, Path(named or election)):
        if not path.is_file():
            raise StartError(f"{path} : fichier introuvable. Essayez : make run ELECTION=elections/{ELECTION.name}")
    if named:
        return election, Path(named)
    if election.resolve() == ELECTION:
        return election, ROLL
    roll = folder / ROLL.name
    command = [sys.executable, str(_ROLL_MAKER), "--election", str(election.resolve()), "--out", str(roll)]
    run(command, environment=os.environ, log=folder / "make-roll.log")
    return election, roll


class Announcing(uvicorn.Server):
    """A server that prints one line once it answers."""

    def __init__(self, config: uvicorn.Config, line: str) -> None:
        super().__init__(config)
        self._line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        print(self._line, flush=True)


@dataclass(frozen=True)
class LocalStack:
    """A deployed stack and the gateway that is to serve it at `origin`. Functions reach SES through
    it, so nothing is sent before.
    """

    aws: LocalAws
    stack: EmbeddedStack
    origin: str
    gateway: Starlette

    def server(self, line: str) -> Announcing:
        """Return the gateway's server, which prints `line` once it answers."""
        config = uvicorn.Config(
            self.gateway,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            lifespan="on",
            timeout_graceful_shutdown=2,
        )
        return Announcing(config, line)

    @contextmanager
    def served(self, listener: socket.socket) -> Iterator[None]:
        """Serve in a thread while the block runs, from the moment that the gateway answers."""
        server = self.server(f"Espace électeur prêt : {self.origin}")
        serving = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        serving.start()
        try:
            while not server.started and serving.is_alive():
                time.sleep(0.05)
            yield
        finally:
            server.should_exit = True
            serving.join()


@contextmanager
def brought_up(
    listener: socket.socket, folder: Path, roll: Path | None, election: Path = ELECTION
) -> Iterator[LocalStack]:
    """Build and deploy everything for `listener`, import `roll` if there is one, and stop it all on
    leaving. The election file is moved to today, in a copy.
    """
    origin = "http://{}:{}".format(*listener.getsockname())
    clock = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - clock:5.1f} s] {text}", flush=True)

    say("AWS local : démarrage")
    # Functions reach SES through the gateway, see `local.receipts`.
    with start_aws(folder, settings={"AWS_ENDPOINT_URL_SESV2": origin}) as aws, ThreadPoolExecutor() as pool:
        say("Fonctions : construction (sam build) ; pages : construction")
        elections = write_demo_elections(folder, election)
        moved = elections / election.name
        pages = [pool.submit(build_pages, script, folder, moved) for script in ("build", "build_helpdesk")]
        template = build(folder, elections)
        for built in pages:
            built.result()
        say("Pile : déploiement (sam deploy)")
        stack = deploy(aws, template, folder, site_origin=origin, election=election.stem)
        if roll is not None:
            say(f"Liste électorale ({roll.name}) : import")
            import_roll(roll.resolve(), elections, stack, aws.environment())
        gateway = create_gateway(
            site=folder / PAGES["build"],
            template=ROOT / "edge.yaml",
            stack=stack,
            receipts=Receipts(aws, stack),
            desk=Desk(folder / PAGES["build_helpdesk"], origin, aws, stack, make_agents(aws, stack.outputs)),
        )
        yield LocalStack(aws, stack, origin, gateway)


def build_pages(script: str, folder: Path, election: Path) -> None:
    """Build pages of an election file into `folder`: the voter space, or the helpdesk's."""
    command = [sys.executable, str(ROOT / "site" / f"{script}.py"), str(election), str(folder / PAGES[script])]
    run(command, environment=os.environ, log=folder / f"{PAGES[script]}-build.log")


def import_roll(roll: Path, elections: Path, stack: EmbeddedStack, environment: Mapping[str, str]) -> None:
    """Load a roll by the operators' own command."""
    reassort = Path(sys.executable).with_name("reassort")
    if not reassort.exists():
        raise StartError(f"la commande reassort manque ({reassort}). Lancez : rm -f .venv/.synced && make run")
    command = [str(reassort), "roll", "import", str(roll), "--stack", stack.name, "--elections", str(elections)]
    run(command, environment=environment, log=elections.parent / "roll-import.log")


if __name__ == "__main__":
    sys.exit(main())
