"""Write `openapi.gateway.json`, the part of `openapi.yaml` that API Gateway imports.

    gateway_document.py           # exit status 1 when the file is not what openapi.yaml says
    gateway_document.py --write   # bring it up to date

API Gateway needs routes, integrations, authorization and its own error texts. Everything else of an
API's description is a risk there: its import supports a part of OpenAPI only
(https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html), and it
reads an `apiKey` scheme as "API key required". So this copies what is needed, instead of removing
what is not.

The file is ASCII, down to the JSON texts inside it: they pass through CloudFormation's
`AWS::Include`.
"""

from __future__ import annotations

import argparse
import json
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
DESCRIPTION = ROOT / "openapi.yaml"
DOCUMENT = ROOT / "openapi.gateway.json"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
# A scheme of type `apiKey` that carries this asks for a signature, not for an API key.
AUTHORIZATION = "x-amazon-apigateway-authtype"
INTEGRATION = "x-amazon-apigateway-integration"
ERROR_TEXTS = "x-amazon-apigateway-gateway-responses"

type Json = dict[str, Any]


def gateway_document(description: Json) -> Json:
    """Return what API Gateway imports of an API's description."""
    schemes = {
        name: scheme for name, scheme in description["components"]["securitySchemes"].items() if AUTHORIZATION in scheme
    }
    return {
        "openapi": description["openapi"],
        # CloudWatch names an API by its name, which an import takes from the title.
        "info": {"title": {"Ref": "AWS::StackName"}, "version": description["info"]["version"]},
        "paths": {path: _path(item, schemes) for path, item in description["paths"].items()},
        "components": {"securitySchemes": schemes},
        ERROR_TEXTS: {name: _error_text(answer) for name, answer in description[ERROR_TEXTS].items()},
    }


def _path(item: Json, schemes: Json) -> Json:
    parameters = [
        {"name": one["name"], "in": "path", "required": True, "schema": {"type": "string"}}
        for one in item.get("parameters", [])
        if one["in"] == "path"
    ]
    methods = {method: _operation(item[method], schemes) for method in METHODS if method in item}
    return {**({"parameters": parameters} if parameters else {}), **methods}


def _operation(operation: Json, schemes: Json) -> Json:
    security = [wanted for wanted in operation.get("security", []) if wanted.keys() <= schemes.keys()]
    responses = {status: {"description": HTTPStatus(int(status)).phrase} for status in operation["responses"]}
    return {
        "operationId": operation["operationId"],
        "security": security,
        "responses": responses,
        INTEGRATION: operation[INTEGRATION],
    }


def _error_text(answer: Json) -> Json:
    texts = {kind: json.dumps(json.loads(text)) for kind, text in answer["responseTemplates"].items()}
    return {**answer, "responseTemplates": texts}


def written(description: Path = DESCRIPTION) -> str:
    """Return the content of the file."""
    content: Json = yaml.safe_load(description.read_text(encoding="utf-8"))
    return json.dumps(gateway_document(content), indent=1) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Compare, or write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--write", action="store_true", help="bring openapi.gateway.json up to date")
    write = parser.parse_args(arguments).write
    wanted = written()
    if DOCUMENT.exists() and DOCUMENT.read_text(encoding="utf-8") == wanted:
        return 0
    if not write:
        print("openapi.gateway.json is not what openapi.yaml says: make gateway", file=sys.stderr)
        return 1
    DOCUMENT.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
