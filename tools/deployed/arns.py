"""ARNs in the form in which AWS writes them, from what the template refers to."""

import re

from deployed.stack import FilledTemplate

_PREFIX = "arn:${AWS::Partition}:"
_HERE = "${AWS::Region}:${AWS::AccountId}"
# What Ref or GetAtt gives that is an ARN: type of resource, attribute ("" for Ref), form.
_FORMS = {
    ("AWS::DynamoDB::Table", "Arn"): f"dynamodb:{_HERE}:table/{{id}}",
    ("AWS::DynamoDB::Table", "StreamArn"): f"dynamodb:{_HERE}:table/{{id}}/stream/label",
    ("AWS::KMS::Key", "Arn"): f"kms:{_HERE}:key/{{id}}",
    ("AWS::Lambda::Function", "Arn"): f"lambda:{_HERE}:function:{{id}}",
    ("AWS::Lambda::Alias", ""): f"lambda:{_HERE}:function:{{id}}:alias",
    ("AWS::Lambda::Version", ""): f"lambda:{_HERE}:function:{{id}}:1",
    ("AWS::Lambda::LayerVersion", ""): f"lambda:{_HERE}:layer:{{id}}:1",
    # With ":*" at the end:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html
    ("AWS::Logs::LogGroup", "Arn"): f"logs:{_HERE}:log-group:{{id}}:*",
    ("AWS::SNS::Topic", ""): f"sns:{_HERE}:{{id}}",
    ("AWS::SNS::Topic", "TopicArn"): f"sns:{_HERE}:{{id}}",
    ("AWS::SQS::Queue", "Arn"): f"sqs:{_HERE}:{{id}}",
    ("AWS::S3::Bucket", "Arn"): "s3:::{id}",
    ("AWS::SecretsManager::Secret", ""): f"secretsmanager:{_HERE}:secret:{{id}}",
    ("AWS::SecretsManager::Secret", "Id"): f"secretsmanager:{_HERE}:secret:{{id}}",
    ("AWS::IAM::Role", "Arn"): "iam::${AWS::AccountId}:role/{id}",
    ("AWS::IAM::ManagedPolicy", ""): "iam::${AWS::AccountId}:policy/{id}",
    ("AWS::WAFv2::WebACL", "Arn"): f"wafv2:{_HERE}:regional/webacl/{{id}}/id",
    ("AWS::CloudWatch::Alarm", "Arn"): f"cloudwatch:{_HERE}:alarm:{{id}}",
    ("AWS::CloudWatch::CompositeAlarm", "Arn"): f"cloudwatch:{_HERE}:alarm:{{id}}",
    ("AWS::Cognito::UserPool", "Arn"): f"cognito-idp:{_HERE}:userpool/{{id}}",
}
_REFERENCE = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.([A-Za-z0-9.]+))?\}")


def written_out(stack: FilledTemplate, text: str) -> str:
    """Return a text with each reference to a resource's ARN replaced by an ARN of the form that AWS
    gives it.
    """

    def replace(match: re.Match[str]) -> str:
        resource = stack.resources.get(match[1])
        form = _FORMS.get((resource.type, match[2] or "")) if resource else None
        return f"{_PREFIX}{form.replace('{id}', match[1])}" if form else match[0]

    return _REFERENCE.sub(replace, text)
