"""The metrics that AWS's services emit, as far as this project looks at them, each with the page
that lists it.

A dimension has the value that AWS forms: a queue's name and not its URL, the metric name of a
firewall's rule and not the rule's.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from deployed.stack import FilledTemplate, Json

type Values = Callable[[FilledTemplate], Iterable[str]]
"""What a dimension can be in a stack."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """What a service emits: names of metrics, each with the sets of dimensions under which they are
    there.
    """

    page: str
    metrics: tuple[tuple[frozenset[str], tuple[frozenset[str], ...]], ...]
    values: dict[str, Values]

    def dimension_sets(self, metric: str) -> list[frozenset[str]]:
        """Return the sets of dimensions of a metric; none for one that the service does not
        have.
        """
        return [dimensions for names, sets in self.metrics if metric in names for dimensions in sets]


def _sets(*names: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(name.split()) for name in names)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _references(kind: str, attribute: str, own_name: str) -> Values:
    """Return the values of a dimension that is a resource's name: a reference to it, or the name
    that the template gives it.
    """

    def values(stack: FilledTemplate) -> Iterator[str]:
        for resource in stack.of_type(kind):
            yield f"${{{resource.id}{attribute}}}"
            if own_name in resource.properties:
                yield str(resource.properties[own_name])

    return values


def _aliases(stack: FilledTemplate) -> Iterator[str]:
    for alias in stack.of_type("AWS::Lambda::Alias"):
        yield f"{alias.properties.get('FunctionName')}:{alias.properties.get('Name')}"


def _api_names(stack: FilledTemplate) -> Iterator[str]:
    return (
        str(api.properties["Name"]) for api in stack.of_type("AWS::ApiGateway::RestApi") if "Name" in api.properties
    )


def _stages(stack: FilledTemplate) -> Iterator[str]:
    for stage in stack.of_type("AWS::ApiGateway::Stage"):
        yield f"${{{stage.id}}}"
        yield str(stage.properties.get("StageName"))


def _firewalls(stack: FilledTemplate) -> Iterator[str]:
    return (_metric_name(firewall.properties) for firewall in stack.of_type("AWS::WAFv2::WebACL"))


def _firewall_rules(stack: FilledTemplate) -> Iterator[str]:
    yield "ALL"
    yield "Default_Action"
    for firewall in stack.of_type("AWS::WAFv2::WebACL"):
        yield from map(_metric_name, firewall.properties.get("Rules", []))


def _metric_name(properties: Json) -> str:
    visibility = properties.get("VisibilityConfig") if isinstance(properties, dict) else None
    return str(visibility.get("MetricName")) if isinstance(visibility, dict) else ""


NAMESPACES = {
    "AWS/ApiGateway": Namespace(
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html",
        (
            (
                _names("4XXError 5XXError CacheHitCount CacheMissCount Count IntegrationLatency Latency"),
                _sets("ApiName", "ApiName Stage", "ApiName Method Resource Stage"),
            ),
        ),
        {"ApiName": _api_names, "Stage": _stages},
    ),
    "AWS/DynamoDB": Namespace(
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html",
        (
            (
                _names(
                    "ConsumedReadCapacityUnits ConsumedWriteCapacityUnits ReadThrottleEvents WriteThrottleEvents "
                    "OnlineIndexConsumedWriteCapacity OnlineIndexThrottleEvents"
                ),
                _sets("TableName", "TableName GlobalSecondaryIndexName"),
            ),
            (
                _names("ConditionalCheckFailedRequests TimeToLiveDeletedItemCount TransactionConflict"),
                _sets("TableName"),
            ),
            (
                _names("SuccessfulRequestLatency SystemErrors ThrottledRequests ReturnedItemCount"),
                _sets("TableName Operation"),
            ),
            (_names("UserErrors"), _sets("")),
        ),
        {"TableName": _references("AWS::DynamoDB::Table", "", "TableName")},
    ),
    "AWS/Events": Namespace(
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html",
        (
            (
                _names(
                    "Invocations FailedInvocations TriggeredRules MatchedEvents ThrottledRules InvocationsSentToDlq"
                ),
                _sets("RuleName"),
            ),
        ),
        {"RuleName": _references("AWS::Events::Rule", "", "Name")},
    ),
    "AWS/Lambda": Namespace(
        "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html",
        (
            (
                _names(
                    "Invocations Errors DeadLetterErrors DestinationDeliveryFailures Throttles Duration IteratorAge "
                    "ConcurrentExecutions ProvisionedConcurrencyInvocations "
                    "ProvisionedConcurrencySpilloverInvocations ProvisionedConcurrentExecutions AsyncEventsReceived "
                    "AsyncEventAge AsyncEventsDropped RecursiveInvocationsDropped"
                ),
                _sets("", "FunctionName", "FunctionName Resource", "FunctionName ExecutedVersion Resource"),
            ),
            (_names("ProvisionedConcurrencyUtilization"), _sets("FunctionName Resource")),
            (_names("UnreservedConcurrentExecutions ClaimedAccountConcurrency"), _sets("")),
        ),
        {"FunctionName": _references("AWS::Lambda::Function", "", "FunctionName"), "Resource": _aliases},
    ),
    "AWS/Logs": Namespace(
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html",
        (
            (_names("IncomingBytes IncomingLogEvents"), _sets("", "LogGroupName")),
            (
                _names("ForwardedBytes ForwardedLogEvents DeliveryErrors DeliveryThrottling"),
                _sets("LogGroupName DestinationType FilterName"),
            ),
        ),
        {"LogGroupName": _references("AWS::Logs::LogGroup", "", "LogGroupName")},
    ),
    "AWS/SES": Namespace(
        "https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-cloudwatch.html",
        (
            (
                _names("Send Reject Bounce Complaint Delivery Open Click DeliveryDelay"),
                _sets("", "ses:configuration-set"),
            ),
            (_names("Reputation.BounceRate Reputation.ComplaintRate"), _sets("", "ses:configuration-set")),
        ),
        {"ses:configuration-set": _references("AWS::SES::ConfigurationSet", "", "Name")},
    ),
    "AWS/SNS": Namespace(
        "https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html",
        (
            (
                _names(
                    "NumberOfMessagesPublished NumberOfNotificationsDelivered NumberOfNotificationsFailed "
                    "NumberOfNotificationsFilteredOut NumberOfNotificationsRedrivenToDlq "
                    "NumberOfNotificationsFailedToRedriveToDlq PublishSize"
                ),
                _sets("TopicName"),
            ),
            (_names("SMSMonthToDateSpentUSD"), _sets("")),
            (_names("SMSSuccessRate"), _sets("", "Country SMSType")),
        ),
        {"TopicName": _references("AWS::SNS::Topic", ".TopicName", "TopicName")},
    ),
    "AWS/SQS": Namespace(
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html",
        (
            (
                _names(
                    "ApproximateAgeOfOldestMessage ApproximateNumberOfMessagesDelayed "
                    "ApproximateNumberOfMessagesNotVisible ApproximateNumberOfMessagesVisible NumberOfEmptyReceives "
                    "NumberOfMessagesDeleted NumberOfMessagesReceived NumberOfMessagesSent SentMessageSize"
                ),
                _sets("QueueName"),
            ),
        ),
        {"QueueName": _references("AWS::SQS::Queue", ".QueueName", "QueueName")},
    ),
    "AWS/WAFV2": Namespace(
        "https://docs.aws.amazon.com/waf/latest/developerguide/waf-metrics.html",
        (
            (
                _names(
                    "AllowedRequests BlockedRequests CountedRequests PassedRequests CaptchaRequests ChallengeRequests"
                ),
                _sets("WebACL Rule Region", "WebACL Rule", "RuleGroup Rule Region"),
            ),
        ),
        {"WebACL": _firewalls, "Rule": _firewall_rules, "Region": lambda _: ["${AWS::Region}"]},
    ),
}
