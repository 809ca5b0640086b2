"""What runs on this machine listens to this machine alone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from local import aws, secure_front
from local.run import listen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HERE = "127.0.0.1"


def test_the_voter_space_listens_here() -> None:
    with listen(str(aws.free_port())) as listener:
        assert listener.getsockname()[0] == HERE


def test_the_secure_voter_space_listens_here(tmp_path: Path) -> None:
    with secure_front.secure_front(f"http://{HERE}:1", tmp_path) as secure:
        assert secure.startswith(f"https://{HERE}:")


def test_the_embedded_aws_is_told_to_listen_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[list[str], dict[str, str]]] = []

    @contextmanager
    def guarded(command: list[str], *, environment: dict[str, str], **_: Any) -> Iterator[None]:
        started.append((command, environment))
        yield

    monkeypatch.setattr(aws, "guarded", guarded)
    monkeypatch.setattr(aws, "_answers", lambda _: True)
    monkeypatch.setattr(aws, "_warm_up", lambda _: None)
    with aws.start_aws(tmp_path) as running:
        port = running.endpoint_url.removeprefix(f"http://{HERE}:")
    ((command, environment),) = started
    assert command[-1] == f"{HERE}:{port}"
    assert environment["MINISTACK_HOST"] == HERE
    assert {environment[name] for name in ("IOT_MTLS_ENABLED", "SFTP_ENABLED")} == {"0"}, "listen to all"
