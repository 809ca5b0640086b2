"""What is deployed is what was locked, by hash; and what is deployed can be listed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.engines.template import TEMPLATE, read_template
from harness.runtime.trees import uv_program
from tests.packaging_modules import packaging_module

ROOT = TEMPLATE.parent
PACKAGE_LOCK = ROOT / "tools" / "node" / "package-lock.json"
SHA256 = re.compile(r"sha256:[0-9a-f]{64}")

pytestmark = pytest.mark.req("S30")


def _locked() -> list[dict[str, Any]]:
    packages: list[dict[str, Any]] = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    return packages


def _layer() -> dict[str, str]:
    """Walk uv.lock from the group `layer` and return name and version of all that it reaches."""
    packages = {package["name"]: package for package in _locked()}
    waiting = [entry["name"] for entry in packages["reassort"]["dev-dependencies"]["layer"]]
    reached: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        versions = {package["version"] for package in _locked() if package["name"] == name}
        wanted = {
            entry.get("version") for entry in packages["reassort"]["dev-dependencies"]["layer"] if entry["name"] == name
        }
        reached[name] = _one_version(name, versions, wanted)
        package = next(p for p in _locked() if (p["name"], p["version"]) == (name, reached[name]))
        # An extra or a marker that the runtime does not meet would be an exception that nothing
        # here needs so far.
        assert not [entry for entry in package.get("dependencies", []) if "extra" in entry.get("marker", "")]
        waiting += [entry["name"] for entry in package.get("dependencies", [])]
    return reached


def _one_version(name: str, versions: set[str], wanted: set[str | None]) -> str:
    """Choose among the versions of a package, of which checkov's group may have another, as old as
    it pins.
    """
    named = {version for version in wanted if version}
    if named:
        (version,) = named
        return version
    return max(versions, key=lambda version: [int(part) for part in re.findall(r"\d+", version)])


def test_every_locked_python_package_has_hashes() -> None:
    sources = {next(iter(package["source"])) for package in _locked()}
    assert sources == {"registry", "editable"}
    assert [package["name"] for package in _locked() if "editable" in package["source"]] == ["reassort"]
    for package in _locked():
        if "registry" not in package["source"]:
            continue
        assert package["source"] == {"registry": "https://pypi.org/simple"}
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        assert files, package["name"]
        assert all(SHA256.fullmatch(file["hash"]) for file in files), package["name"]


def test_every_locked_node_package_has_its_integrity() -> None:
    packages = json.loads(PACKAGE_LOCK.read_text(encoding="utf-8"))["packages"]
    assert packages.pop("")["name"] == "reassort-browser-checks"
    assert packages
    for name, package in packages.items():
        assert package.get("integrity", "").startswith("sha512-"), name


def test_layer_is_installed_from_the_lock_and_checked_by_hash(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = packaging_module("package")
    calls: list[list[str]] = []
    monkeypatch.setattr(package, "uv", lambda *arguments: calls.append([str(argument) for argument in arguments]))
    package.install_locked(tmp_path / "python", package.PLATFORMS["arm64"])
    export, install = calls
    assert export[:2] == ["export", "--frozen"]
    assert export[export.index("--only-group") + 1] == "layer"
    assert "--no-hashes" not in export
    assert install[:2] == ["pip", "install"]
    assert {"--require-hashes", "--no-deps"} <= set(install)
    assert install[install.index("--only-binary") + 1] == ":all:"
    assert install[install.index("--requirement") + 1] == export[export.index("--output-file") + 1]


@pytest.mark.parametrize(("architecture", "machine"), [("arm64", "aarch64"), ("x86_64", "x86_64")])
def test_the_layer_has_the_wheels_of_the_architecture_that_its_folder_names(
    architecture: str, machine: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    makefile = (ROOT / "packaging" / architecture / "Makefile").read_text(encoding="utf-8")
    assert re.findall(r"^export ARCHITECTURE := (\S+)$", makefile, re.MULTILINE) == [architecture]
    package = packaging_module("package")
    calls: list[list[str]] = []
    monkeypatch.setattr(package, "uv", lambda *arguments: calls.append([str(argument) for argument in arguments]))
    monkeypatch.setattr(package, "prune", lambda *_: None)
    monkeypatch.setattr(package, "compile_tree", lambda *_, **__: None)
    monkeypatch.setattr(package, "made_once", lambda _, make: make(tmp_path / "python"))
    monkeypatch.setenv("ARCHITECTURE", architecture)
    monkeypatch.delenv("LAYER_PLATFORM", raising=False)
    package.third_party([])
    _, install = calls
    assert install[install.index("--python-platform") + 1] == f"{machine}-manylinux_2_28"


def test_the_exported_requirements_are_the_locked_versions_each_with_hashes() -> None:
    command = [uv_program(), "export", "--frozen", "--offline", "--quiet", "--only-group", "layer", "--no-emit-project"]
    exported = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    requirements = re.split(r"\n(?=\S)", re.sub(r"^\s*#.*\n", "", exported, flags=re.MULTILINE).strip())
    found = {}
    for requirement in requirements:
        matched = re.match(r"([\w.-]+)==([\w.]+)", requirement)
        assert matched, requirement
        name, version = matched.groups()
        assert SHA256.search(requirement), name
        found[name] = version
    assert found == _layer()


def test_sbom_lists_what_is_deployed_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "sbom.json"
    for _ in range(2):
        before = target.read_bytes() if target.exists() else None
        command = [sys.executable, "tools/sbom.py", str(target)]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "UV": uv_program()}, capture_output=True, check=True)
    assert target.read_bytes() == before
    content = json.loads(target.read_bytes())
    assert (content["bomFormat"], content["specVersion"]) == ("CycloneDX", "1.5")
    packages = [part for part in content["components"] if part["purl"].startswith("pkg:pypi/")]
    assert {part["name"]: part["version"] for part in packages} == _layer()
    for part in packages:
        assert part["purl"] == f"pkg:pypi/{part['name']}@{part['version']}"
        hashes = [made for file in part["externalReferences"] for made in file["hashes"]]
        assert hashes
        assert {made["alg"] for made in hashes} == {"SHA-256"}
    vendored = [part for part in content["components"] if part["purl"].startswith("pkg:npm/")]
    assert {f"{part['name']}.js" for part in vendored} == {
        path.name for path in (ROOT / "helpdesk/vendor").glob("*.js")
    }
    for part in vendored:
        assert f"{part['name']} {part['version']}\n" in (ROOT / "helpdesk/vendor/LICENSES.txt").read_text("utf-8")
    own = {part["name"]: part for part in content["components"] if part not in (*packages, *vendored)}
    functions = [
        part["Properties"]["CodeUri"].removeprefix("functions/")
        for part in read_template()["Resources"].values()
        if part["Type"] == "AWS::Serverless::Function"
    ]
    assert set(own) == {*functions, "reassort"}
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert {part["version"] for part in own.values()} == {version}
    assert len({part["hashes"][0]["content"] for part in own.values()}) == len(own)
    references = {content["metadata"]["component"]["bom-ref"], *(part["bom-ref"] for part in content["components"])}
    assert {entry["ref"] for entry in content["dependencies"]} == references


def _unexplained(lines: list[str], entry: str) -> list[str]:
    """Return the entries that neither a comment nor another entry stands before."""
    return [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if re.match(entry, line) and not re.match(rf"\s*#|{entry}", before)
    ]


def test_every_rule_that_is_left_out_has_its_reason() -> None:
    checkov = (ROOT / ".checkov.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(checkov)["skip-check"]
    assert not _unexplained(checkov.splitlines(), r"\s*- CKV")
    template = TEMPLATE.read_text(encoding="utf-8")
    assert read_template()["Metadata"]["cfn-lint"]["config"]["ignore_checks"]
    assert not _unexplained(template.splitlines(), r"\s*- [WEI]\d{4}$")
    skips = [
        skip
        for resource in read_template()["Resources"].values()
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", [])
    ]
    assert skips
    assert all(len(skip["comment"]) > 20 for skip in skips)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    ignored = tomllib.loads(project)["tool"]["uv"].get("audit", {}).get("ignore", [])
    assert len(ignored) == len(re.findall(r'^ +"[A-Z]+-[\w-]+", +# \S.{10,}$', project, re.MULTILINE))
