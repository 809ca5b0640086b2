"""The embedded AWS: MiniStack on a loopback port, with IAM enforced, alive exactly as long as this
process wants it.
"""

import contextlib
import os
import socket
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.processes import guarded, reason

REGION = "eu-west-3"
# It takes some five on an idle machine.
START_SECONDS = 180
# MiniStack's root credentials: the id and the secret are this word.
ROOT_KEY = "test"


class LocalAwsError(Exception):
    """The embedded AWS does not start. The message is one line."""


@dataclass(frozen=True)
class LocalAws:
    """A running embedded AWS."""

    endpoint_url: str
    region: str
    log: Path

    def environment(self) -> dict[str, str]:
        """Give the environment in which every AWS tool and SDK talks to this one, as its
        administrator.
        """
        return {**isolated_environment(), "AWS_ENDPOINT_URL": self.endpoint_url}

    def client(self, service: str, config: Config | None = None) -> Any:
        """Give an SDK client of this AWS, as its administrator unless `config` signs nothing,
        whatever profile or proxy the user's shell has set.
        """
        session = botocore.session.Session(
            session_vars={
                "profile": (None, None, None, None),
                "config_file": (None, None, os.devnull, None),
                "credentials_file": (None, None, os.devnull, None),
            }
        )
        return session.create_client(
            service,
            region_name=self.region,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=ROOT_KEY,
            aws_secret_access_key=ROOT_KEY,
            # No proxies, whatever the shell has set; an entry without a value would put whole URLs
            # into the request line.
            config=config or Config(proxies={}),
        )

    def execute_api_url(self, api_url: str) -> str:
        """Give the address at which a REST API is served here, from the one it would have on AWS.

        `https://{api}.execute-api.{region}.amazonaws.com/{stage}` becomes
        `{endpoint}/_aws/execute-api/{api}/{stage}`.
        """
        host, _, stage = api_url.removeprefix("https://").partition("/")
        return f"{self.endpoint_url}/_aws/execute-api/{host.partition('.')[0]}/{stage}".rstrip("/")


def isolated_environment() -> dict[str, str]:
    """Give this process's environment without any way to a real AWS account.

    Profiles, files, container and instance credentials are all out of reach; what is left is
    MiniStack's root key.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_", "MINISTACK_"))}
    bypass = ",".join(filter(None, [kept.get("no_proxy") or kept.get("NO_PROXY", ""), "127.0.0.1,localhost"]))
    return {
        **kept,
        "AWS_ACCESS_KEY_ID": ROOT_KEY,
        "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        # Nothing answers there: a tool that forgets the local endpoint must fail, not reach AWS.
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "NO_PROXY": bypass,
        "no_proxy": bypass,
    }


@contextmanager
def start_aws(folder: Path, *, settings: Mapping[str, str] | None = None) -> Iterator[LocalAws]:
    """Start the embedded AWS, wait until it answers, and stop it with its Lambda workers on
    leaving.

    Its log and temporary files go to `folder`. `settings` adds environment variables of MiniStack.

    Raises:
        LocalAwsError: it does not answer in time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    scratch = Path(tempfile.mkdtemp(prefix="aws-", dir=folder))
    log = folder / "ministack.log"
    environment = {
        # The workers inherit it, so the endpoint is the real one.
        **isolated_environment(),
        "AWS_ENDPOINT_URL": endpoint,
        "AUTH": "true",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "LAMBDA_EXECUTOR": "local",
        "LOG_LEVEL": "INFO",
        "PERSIST_STATE": "0",
        "TMPDIR": str(scratch),
        # These two listen on all interfaces.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # It sweeps the containers of the Docker daemon it finds; there must be none to find.
        "DOCKER_HOST": f"unix://{scratch}/no-docker.sock",
        **(settings or {}),
    }
    command = [sys.executable, "-P", str(Path(__file__).with_name("aws_server.py")), f"127.0.0.1:{port}"]
    with guarded(command, environment=environment, log=log, cwd=scratch, scratch=scratch) as process:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(f"{endpoint}/_ministack/ready"):
            if process.poll() is not None:
                raise LocalAwsError(f"the embedded AWS stopped: {reason(log)} ({log})")
            if time.monotonic() > deadline:
                raise LocalAwsError(f"the embedded AWS did not answer within {START_SECONDS} s ({log})")
            time.sleep(0.05)
        aws = LocalAws(endpoint, REGION, log)
        # MiniStack imports CloudFormation for 3 seconds at its first call; the caller is building
        # meanwhile.
        threading.Thread(target=_warm_up, args=(aws,), daemon=True).start()
        yield aws


def free_port() -> int:
    """Give a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _warm_up(aws: LocalAws) -> None:
    with contextlib.suppress(BotoCoreError, ClientError):
        aws.client("cloudformation").list_stacks()


def _answers(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
