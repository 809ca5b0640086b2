"""Write what is deployed as a CycloneDX 1.5 document: `make sbom`.

    sbom.py FILE

uv lists the packages of the dependency group `layer` as uv.lock holds them, with the hashes of
their files. Added are the functions and the shared domain, in the version of pyproject.toml, each
with a hash over its sources; what `helpdesk/vendor` has from npm; and the commit, if there is one.
The same sources give the same bytes: neither the time nor a random number is in it.

Environment:
    UV: the uv program (default: the one on PATH).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = tuple(sorted(handler.parent.name for handler in (ROOT / "functions").glob("*/handler.py")))
DOMAIN = "layers/shared/reassort"
# What the helpdesk's page takes from npm; the voter space takes nothing.
VENDORED = ("aws4fetch", "lean-qr")


def main(arguments: list[str]) -> None:
    """Write the document to the file that the command line names."""
    (target,) = arguments
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = bill_of_materials()
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(f"{path}: {len(content['components'])} components")


def bill_of_materials() -> dict[str, Any]:
    """Give the document."""
    exported = _output(
        *(os.environ.get("UV") or "uv", "export", "--frozen", "--quiet", "--offline", "--only-group", "layer"),
        *("--no-emit-project", "--format", "cyclonedx1.5", "--preview-features", "sbom-export"),
    )
    content: dict[str, Any] = json.loads(exported)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    version = project["project"]["version"]
    commit = _commit()
    packages = content["components"]
    service = content["metadata"]["component"]
    service.update(type="application", version=version, purl=f"pkg:generic/reassort@{version}")
    service["properties"] = [{"name": "reassort:commit", "value": commit}] if commit else []
    domain = _own("reassort", "library", DOMAIN, version)
    functions = [_own(name, "application", f"functions/{name}", version) for name in FUNCTIONS]
    content["metadata"] = {"tools": content["metadata"]["tools"], "component": service}
    vendored = [_vendored(name) for name in VENDORED]
    content["components"] = [*functions, domain, *packages, *vendored]
    wanted = {re.split(r"[^\w.-]", requirement)[0] for requirement in project["dependency-groups"]["layer"]}
    direct = [package["bom-ref"] for package in packages if package["name"] in wanted]
    content["dependencies"] = [
        {"ref": service["bom-ref"], "dependsOn": [part["bom-ref"] for part in (*functions, *vendored)]},
        *({"ref": part["bom-ref"]} for part in vendored),
        *({"ref": function["bom-ref"], "dependsOn": [domain["bom-ref"]]} for function in functions),
        {"ref": domain["bom-ref"], "dependsOn": direct},
        *content["dependencies"],
    ]
    del content["serialNumber"]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return {**content, "serialNumber": uuid.uuid5(uuid.NAMESPACE_OID, digest).urn}


def _own(name: str, kind: str, folder: str, version: str) -> dict[str, Any]:
    digest = hashlib.sha256()
    for path in sorted((ROOT / folder).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(ROOT).as_posix()}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return {
        "type": kind,
        "bom-ref": f"{folder}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:generic/reassort@{version}#{folder}",
        "hashes": [{"alg": "SHA-256", "content": digest.hexdigest()}],
    }


def _vendored(name: str) -> dict[str, Any]:
    lock = json.loads((ROOT / "tools" / "node" / "package-lock.json").read_text(encoding="utf-8"))
    version = lock["packages"][f"node_modules/{name}"]["version"]
    copy = (ROOT / "helpdesk" / "vendor" / f"{name}.js").read_bytes()
    purl = f"pkg:npm/{name}@{version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(copy).hexdigest()}],
    }


def _commit() -> str:
    """Give the commit of the sources, marked when they are not what was committed; empty outside of
    a repository.
    """
    try:
        return _output("git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*").strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main(sys.argv[1:])
