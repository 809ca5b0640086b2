"""A2 and A3: what API Gateway's import makes of the API document."""

import json
from collections.abc import Callable, Iterator, Mapping

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template
from deployed.linting import Fault, in_each_stack
from deployed.stack import FilledTemplate, Json, Resource

_IMPORT_PAGE = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html#api-gateway-known-issues-rest-apis"
# Anywhere in the document.
_REFUSED = ("example", "examples")
# In a schema. What the import only ignores may stay: `deprecated`, which it drops; `minItems` and
# `maxItems`, which it does not validate; of a parameter, whatever is not name, in, required, type
# or description. Keywords that begin with x- are nobody else's business: names may begin so too.
_REFUSED_IN_SCHEMAS = (*_REFUSED, "default", "discriminator", "exclusiveMinimum", "nullable", "readOnly")
_REFUSED_FORMATS = ("int32", "int64", "decimal")
_COMBINING = ("oneOf", "anyOf", "allOf")
_METHODS = frozenset(
    {"get", "put", "post", "delete", "options", "head", "patch", "trace", "x-amazon-apigateway-any-method"}
)
# What holds schemas by name: a property called `example` is no keyword.
_NAMED = ("properties", "patternProperties", "definitions", "schemas")


class UnsupportedKeywords(CloudFormationLintRule):
    """Import fails on some of them, and drops or misreads others, without a word."""

    id = "E9002"
    shortdesc = "API Gateway's import supports the keywords of the API document"
    description = (
        "The import supports no example, and in schemas no default, discriminator, exclusiveMinimum, nullable or "
        "readOnly, no number of format int32, int64 or decimal, no oneOf, anyOf or allOf with a $ref; no reference to "
        "another file; no security of the whole document. What it only ignores may stay: deprecated, minItems, "
        "maxItems, and what a parameter has beside name, in, required, type and description"
    )
    source_url = _IMPORT_PAGE
    tags = ["A2"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the keywords of the document that the import does not support."""
        return in_each_stack(cfn, lambda stack: _of_documents(stack, _unsupported))


class ResponsesInAscii(CloudFormationLintRule):
    """A letter with an accent may come out of `AWS::Include` as a question mark, and only voters
    see it.
    """

    id = "E9102"
    shortdesc = "Texts of gateway responses are ASCII"
    description = (
        "No page says how AWS::Include treats letters beyond ASCII, so the JSON texts that the gateway "
        "answers itself write them as \\u escapes"
    )
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-include.html"
    tags = ["A2"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the gateway responses with letters beyond ASCII, or that are no JSON."""
        return in_each_stack(cfn, lambda stack: _of_documents(stack, _beyond_ascii))


class KeySchemes(CloudFormationLintRule):
    """For API Gateway a scheme `apiKey` means its own usage keys, whatever the document says of a
    cookie.
    """

    id = "E9003"
    shortdesc = "Security schemes of type apiKey are authorizers"
    description = (
        "API Gateway takes a security scheme of type apiKey as its own API key, so a method that names it answers 403 "
        "without one; an authorizer says so by x-amazon-apigateway-authtype"
    )
    source_url = (
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authtype.html"
    )
    tags = ["A3"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the schemes that the gateway takes for its own keys."""
        return in_each_stack(cfn, lambda stack: _of_documents(stack, _key_schemes))


def _of_documents(stack: FilledTemplate, check: Callable[[Mapping[str, Json]], Iterator[str]]) -> Iterator[Fault]:
    for api in stack.of_type("AWS::ApiGateway::RestApi"):
        body = api.properties.get("Body")
        if isinstance(body, dict):
            for message in check(body):
                yield Fault(_written_at(api), message)


def _written_at(api: Resource) -> tuple[str | int, ...]:
    return (*api.path, "Properties", "DefinitionBody")


def _unsupported(document: Mapping[str, Json]) -> Iterator[str]:
    yield from _in_any_part(document, "#", schema=False)
    if document.get("security"):
        yield "#/security: API Gateway reads security of operations only"
    for name in document.get("components", {}).get("schemas", {}) | document.get("definitions", {}):
        if not str(name).isalnum():
            yield f"#/components/schemas/{name}: names of models are letters and digits"
    for path in document.get("paths", {}):
        for segment in str(path).strip("/").split("/"):
            if "{" in segment and not (segment.startswith("{") and segment.endswith("}")):
                yield f"#/paths/{path}: a path parameter is a segment of its own"


def _in_any_part(node: Json, place: str, *, schema: bool) -> Iterator[str]:
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from _in_any_part(item, f"{place}/{number}", schema=schema)
        return
    if not isinstance(node, dict):
        return
    for keyword in _REFUSED_IN_SCHEMAS if schema else _REFUSED:
        if keyword in node:
            yield f"{place}/{keyword}: API Gateway's import does not support {keyword}"
    for keyword in _COMBINING if schema else ():
        if any("$ref" in part for part in node.get(keyword, [])):
            yield f"{place}/{keyword}: API Gateway takes no {keyword} with a $ref"
    if schema and node.get("type") == "number" and node.get("format") in _REFUSED_FORMATS:
        yield f"{place}/format: API Gateway has no number of format {node['format']}"
    reference = node.get("$ref")
    if isinstance(reference, str) and not reference.startswith("#/"):
        yield f"{place}/$ref: API Gateway follows no reference to another file"
    for key, value in node.items():
        if str(key).startswith("x-"):
            continue
        if key in (*_NAMED, "headers") and isinstance(value, dict):
            for name, part in value.items():
                yield from _in_any_part(part, f"{place}/{key}/{name}", schema=key != "headers")
        # Beside schemas, `default` may be a response.
        elif not schema or key not in ("enum", "default", *_REFUSED):
            yield from _in_any_part(value, f"{place}/{key}", schema=schema or key == "schema")


def _beyond_ascii(document: Mapping[str, Json]) -> Iterator[str]:
    for name, response in document.get("x-amazon-apigateway-gateway-responses", {}).items():
        for kind, text in response.get("responseTemplates", {}).items():
            if not str(text).isascii():
                yield f"{name}, {kind}: write letters beyond ASCII as \\u escapes"
            if "json" in kind:
                try:
                    json.loads(text)
                except ValueError:
                    yield f"{name}, {kind}: the text is no JSON"


def _key_schemes(document: Mapping[str, Json]) -> Iterator[str]:
    schemes = document.get("components", {}).get("securitySchemes", {}) | document.get("securityDefinitions", {})
    for name, scheme in schemes.items():
        if scheme.get("type") == "apiKey" and "x-amazon-apigateway-authtype" not in scheme:
            used = sorted(_methods_with(document, name))
            yield (
                f"the gateway takes the security scheme {name} for its own API "
                f"keys{': ' + ', '.join(used) if used else ''}"
            )


def _methods_with(document: Mapping[str, Json], scheme: str) -> Iterator[str]:
    for path, methods in document.get("paths", {}).items():
        for method, operation in methods.items():
            if method in _METHODS:
                security = operation.get("security", document.get("security", []))
                if any(scheme in alternative for alternative in security):
                    yield f"{method.upper()} {path}"
