"""A6: what alarms and dashboards look at is emitted by something."""

from collections.abc import Iterator

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template
from deployed.aws_metrics import NAMESPACES
from deployed.emitted_metrics import Emitted, emitted_by
from deployed.linting import Deployed, Fault, deployed, in_each_stack
from deployed.metric_lines import Line, alarms_named, lines
from deployed.stack import FilledTemplate


class MetricsOfServices(CloudFormationLintRule):
    """An alarm on a metric that nothing emits is green forever."""

    id = "E9006"
    shortdesc = "The metrics of AWS's services exist, with the values that AWS forms"
    description = (
        "Each metric of an AWS/ namespace has a name and dimensions that its service's page lists, and values of the "
        "right form: the name of a queue and not its URL, the metric name of a firewall's rule"
    )
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html"
    tags = ["A6"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the lines that look at nothing."""
        template = deployed(cfn)
        return in_each_stack(cfn, lambda stack: _not_of_service(template, stack))


class MetricsOfTheStack(CloudFormationLintRule):
    """A metric that was renamed in the code leaves its alarm behind."""

    id = "E9106"
    shortdesc = "Metrics of one's own are emitted by a function or a metric filter"
    description = (
        "Each metric outside of the AWS/ namespaces is made by a metric filter of the stack, or written by the code "
        "of a function that is told the namespace, under the same dimensions"
    )
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html"
    tags = ["A6"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the lines about metrics that nothing of the stack emits."""
        template = deployed(cfn)
        return in_each_stack(cfn, lambda stack: _not_emitted(template, stack))


class NameOfTheApi(CloudFormationLintRule):
    """The title of the document may win over the name, and CloudWatch gets either without its
    accents.
    """

    id = "E9206"
    shortdesc = "An API has a name of ASCII letters, which its document's title does not contradict"
    description = (
        "API Gateway drops letters beyond ASCII from the dimension ApiName, and an import may name the API after its "
        "title: Name is there, is ASCII, and a title that is no function is the same"
    )
    source_url = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html"
    tags = ["A6"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the APIs whose dimension is not what the template says."""
        return in_each_stack(cfn, _misnamed)


class MembersAreAlarms(CloudFormationLintRule):
    """CloudFormation refuses a member that is no alarm; a dashboard shows nothing in its place."""

    id = "E9306"
    shortdesc = "Composite alarms and dashboards name alarms of the stack"
    description = (
        "Each member of a composite alarm and each alarm of a dashboard is an alarm that the stack has "
        "under the same parameters"
    )
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-compositealarm.html"
    tags = ["A6"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the members that are no alarms of the stack."""
        return in_each_stack(cfn, _no_alarms)


def _not_of_service(template: Deployed, stack: FilledTemplate) -> Iterator[Fault]:
    for line in lines(stack):
        if not line.namespace.startswith("AWS/"):
            continue
        namespace = NAMESPACES.get(line.namespace)
        if namespace is None:
            yield Fault(line.path, f"{line.namespace} is not in tools/deployed/aws_metrics.py: add it, with its page")
            continue
        sets = namespace.dimension_sets(line.metric)
        if not sets:
            yield Fault(line.path, f"{line.namespace} has no metric {line.metric}: {namespace.page}")
        elif line.dimensions not in sets:
            known = "; ".join(" ".join(sorted(one)) or "none" for one in sets)
            yield Fault(line.path, f"{line.metric} has other dimensions than {_words(line)}: {known}")
        yield from _wrong_values(template, stack, line)


def _wrong_values(template: Deployed, stack: FilledTemplate, line: Line) -> Iterator[Fault]:
    parameters = {f"${{{name}}}" for name in stack.template.get("Parameters") or {}}
    # A dashboard may have lines for what only some stacks have; an alarm is there with it or not at
    # all.
    several = "DashboardBody" in line.path
    for name, value in line.values or ():
        values = NAMESPACES[line.namespace].values.get(name)
        if values is None or value in parameters or value in set(values(stack)):
            continue
        if not (several and any(value in set(values(other)) for other in template.stacks)):
            yield Fault(line.path, f"{line.metric}: no {name} of this stack is {value} in CloudWatch")


def _words(line: Line) -> str:
    return " ".join(sorted(line.dimensions)) or "none"


def _not_emitted(template: Deployed, stack: FilledTemplate) -> Iterator[Fault]:
    for line in lines(stack):
        if line.namespace.startswith("AWS/") or _by_unknown_code(template, stack, line.namespace):
            continue
        of_that_name = [one for one in _emitted(template, stack, line.namespace) if one.name == line.metric]
        if not of_that_name:
            yield Fault(line.path, f"nothing emits {line.metric} in {line.namespace}")
        elif not any(one.has(line.dimensions) for one in of_that_name):
            yield Fault(line.path, f"nothing emits {line.metric} with the dimensions {_words(line)}")


def _emitted(template: Deployed, stack: FilledTemplate, namespace: str) -> Iterator[Emitted]:
    for metric_filter in stack.of_type("AWS::Logs::MetricFilter"):
        for made in metric_filter.properties.get("MetricTransformations", []):
            if made.get("MetricNamespace") == namespace:
                dimensions = frozenset(str(one.get("Key")) for one in made.get("Dimensions", []))
                yield Emitted(str(made.get("MetricName")), dimensions, bare=not dimensions)
    for name in _told(stack, namespace):
        if folder := template.code_of(name):
            yield from emitted_by(folder)


def _told(stack: FilledTemplate, namespace: str) -> list[str]:
    """Return the functions that are told a namespace by their environment."""
    return [
        function.id
        for function in stack.of_type("AWS::Lambda::Function")
        if namespace in function.properties.get("Environment", {}).get("Variables", {}).values()
    ]


def _by_unknown_code(template: Deployed, stack: FilledTemplate, namespace: str) -> bool:
    """Tell whether a function may emit anything there: `sam validate --lint` hands over a template
    that no longer says where the code is.
    """
    return any(template.code_of(name) is None for name in _told(stack, namespace))


def _misnamed(stack: FilledTemplate) -> Iterator[Fault]:
    for api in stack.of_type("AWS::ApiGateway::RestApi"):
        name = str(api.properties.get("Name", ""))
        body = api.properties.get("Body")
        title = str(body.get("info", {}).get("title", "")) if isinstance(body, dict) else ""
        if not name:
            yield Fault(api.path, "the API has no Name: CloudWatch knows it by the title of its document")
        if not name.isascii():
            yield Fault((*api.path, "Properties", "Name"), f"CloudWatch gets {name} without its letters beyond ASCII")
        if title and title != name:
            yield Fault(
                api.path,
                f"the title of the document is {title}, the name {name or '(none)'}: an import may take either",
            )


def _no_alarms(stack: FilledTemplate) -> Iterator[Fault]:
    known = set()
    for alarm in stack.of_type("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        known |= {f"${{{alarm.id}}}", f"${{{alarm.id}.Arn}}"}
        if "AlarmName" in alarm.properties:
            known.add(str(alarm.properties["AlarmName"]))
    for path, name in alarms_named(stack):
        if name not in known:
            yield Fault(path, f"{name} is no alarm of this stack")
