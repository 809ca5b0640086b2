"""SAM's translation of a template, with the API document instead of `AWS::Include`, for given
values of the parameters.

cfn-lint translates too, but empties every `DefinitionBody` first, so it knows neither what the
gateway receives nor the logical id of the deployment, which SAM derives from that. CloudFormation
expands the inner macro first:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros.html
"""

import copy
import json
import os
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

import yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from deployed.stack import Json

# libyaml reads ten times faster; not every platform has it.
_Loader: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SAM = "AWS::Serverless-2016-10-31"
# What SAM takes as an address of S3 only, and `sam build` writes later.
_UPLOADED = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}


def included(template: Json, folder: Path) -> Json:
    """Return a copy of the template in which each `AWS::Include` of a file of this machine is that
    file's content.
    """
    if isinstance(template, list):
        return [included(item, folder) for item in template]
    if not isinstance(template, dict):
        return template
    location = _location(template)
    if location is not None and (folder / location).is_file():
        return read_document(folder / location)
    return {key: included(value, folder) for key, value in template.items()}


def read_document(path: Path) -> Json:
    """Return what a YAML or JSON file holds."""
    text = path.read_text("utf-8")
    return json.loads(text) if path.suffix == ".json" else yaml.load(text, _Loader)  # noqa: S506


def translated(template: Mapping[str, Json], values: Mapping[str, str]) -> Mapping[str, Json]:
    """Return what CloudFormation makes of a template: SAM's translation under these values, or the
    template if SAM is not asked for.
    """
    transforms = template.get("Transform", [])
    if _SAM not in (transforms if isinstance(transforms, list) else [transforms]):
        return template
    source = copy.deepcopy(dict(template))
    for resource in (source.get("Resources") or {}).values():
        uploaded = _UPLOADED.get(resource.get("Type", ""))
        if uploaded and not str(resource.get("Properties", {}).get(uploaded, "")).startswith("s3://"):
            resource.setdefault("Properties", {})[uploaded] = "s3://bucket/key"
    # SAM asks boto3 for the region, to know the partition.
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-3")
    translator = Translator(_managed_policies(), Parser())
    result: Mapping[str, Json] = translator.translate(source, dict(values))
    return result


@cache
def _managed_policies() -> dict[str, str]:
    text = files("cfnlint.data.Serverless").joinpath("ManagedPolicies.json").read_text("utf-8")
    policies: dict[str, str] = json.loads(text)
    return policies


def _location(node: Mapping[str, Json]) -> str | None:
    if set(node) != {"Fn::Transform"}:
        return None
    macro = node["Fn::Transform"]
    if not isinstance(macro, dict) or macro.get("Name") != "AWS::Include":
        return None
    location = (macro.get("Parameters") or {}).get("Location")
    return location if isinstance(location, str) else None
