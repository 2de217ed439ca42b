"""Lists the resources of a deployment in an AWS account: its stack, its classifiers and their resources."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from image_classifier.account.stack import describe_stack, output_of
from image_classifier.aws.clients import Clients
from image_classifier.aws.names import CLASSIFIER_NAME, PREFIX, TAG, Keys
from image_classifier.aws.ownership import buckets_of_endpoint
from image_classifier.contracts.errors import StackError
from image_classifier.teardown.inventory import Inventory, Teardown, inventory

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_iam import IAMClient

ABSENT_BUCKET = {"NoSuchBucket", "404"}


@dataclass(frozen=True)
class Attachment:
    """A role, user or group with one of the stack's managed policies, which prevents the policy's deletion."""

    policy_arn: str
    kind: Literal["role", "user", "group"]
    name: str


@dataclass(frozen=True)
class Remains:
    """The resources of a deployment in the account.

    Attributes:
        stack: name and status of the CloudFormation stack; empty if there is none.
        bucket: the deployment's bucket; empty if it was deleted.
        queue_arn: the failure queue's ARN; empty if the stack has none.
        attachments: the roles, users and groups with the stack's managed policies.
        classifiers: the resources of each classifier, by its name.
        object_versions: number of all versions and delete markers in the bucket.
        named_bucket: the bucket's name, also if it was deleted; it tells the endpoints from another deployment's.
        role_arn: the functions' role, which tells the deployment's functions from another one's; empty if unknown.

    """

    stack: str = ""
    bucket: str = ""
    queue_arn: str = ""
    attachments: tuple[Attachment, ...] = ()
    classifiers: Mapping[str, Inventory] = field(default_factory=dict)
    object_versions: int = 0
    named_bucket: str = field(default="", compare=False)
    role_arn: str = field(default="", compare=False)

    @property
    def is_empty(self) -> bool:
        return self == Remains()

    @property
    def is_only_data(self) -> bool:
        """Return whether nothing is left but the bucket and its objects."""
        without_data = (replace(found, folders={}, unfinished_uploads=()) for found in self.classifiers.values())
        return not self.stack and all(found == Inventory() for found in without_data)

    def as_table(self) -> str:
        """Return a text with one line per resource."""
        lines = [
            *([f"{'stack':<22} {self.stack}"] if self.stack else []),
            *(f"{'policy attached to':<22} {one.kind} {one.name}" for one in self.attachments),
            *([f"{'bucket':<22} {self.bucket} ({self.object_versions} object versions)"] if self.bucket else []),
        ]
        for name, found in self.classifiers.items():
            lines += [f"classifier {name}:", *(f"  {line}" for line in found.as_table().splitlines())]
        return "\n".join(lines) or "Nothing is there."


@dataclass(frozen=True)
class Account:
    """The clients that read a whole deployment, and the stack's name."""

    cloudformation: "CloudFormationClient"
    iam: "IAMClient"
    clients: Clients
    stack_name: str


def find_remains(account: Account, *, bucket: str = "", role_arn: str = "") -> Remains:
    """Return the resources of the deployment; `bucket` and `role_arn` are those of a stack that was deleted.

    Raises:
        StackError: CloudFormation refuses to describe the stack.

    """
    stack = describe_stack(account.cloudformation, account.stack_name)
    named = (output_of(stack, "Bucket") if stack else None) or bucket
    bucket = named if named and _has_bucket(account.clients, named) else ""
    role_arn = (output_of(stack, "FunctionRoleArn") if stack else None) or role_arn
    of_functions, of_endpoints = _of_functions(account.clients, role_arn), _of_endpoints(account.clients, named)
    classifiers = {
        name: found
        for name in sorted({*_in_bucket(account.clients, bucket), *of_functions, *of_endpoints})
        if (found := _inventory(account.clients, name, bucket)) != Inventory()
    }
    return Remains(
        stack=f"{account.stack_name} ({stack['StackStatus']})" if stack else "",
        bucket=bucket,
        queue_arn=(output_of(stack, "FailureQueueArn") or "") if stack else "",
        attachments=tuple(_attachments(account.iam, stack)) if stack else (),
        classifiers=classifiers,
        object_versions=sum(1 for _ in object_versions(account.clients, bucket)) if bucket else 0,
        named_bucket=named,
        role_arn=role_arn,
    )


def object_versions(clients: Clients, bucket: str) -> Iterator[Mapping[str, Any]]:
    """Yield every version and delete marker of the bucket, each with ``Key`` and ``VersionId``."""
    for page in clients.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        yield from [*page.get("Versions", []), *page.get("DeleteMarkers", [])]


def _inventory(clients: Clients, classifier: str, bucket: str) -> Inventory:
    if not bucket:
        message = (
            f"Classifier {classifier} has an endpoint, but its bucket is gone or not named, so nobody can tell whether "
            "it is of this stack or of another one. Correct the stack's name, or name the bucket with --bucket. If the "
            "bucket is gone, delete the endpoint in SageMaker's console."
        )
        raise StackError(message)
    return inventory(clients, Teardown(classifier=classifier, bucket=bucket))


def _has_bucket(clients: Clients, bucket: str) -> bool:
    try:
        clients.s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] in ABSENT_BUCKET:
            return False
        raise
    return True


def _in_bucket(clients: Clients, bucket: str) -> Iterator[str]:
    if not bucket:
        return
    for page in clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Delimiter="/"):
        for prefix in page.get("CommonPrefixes", []):
            name = prefix["Prefix"].rstrip("/")
            if CLASSIFIER_NAME.fullmatch(name) and prefix["Prefix"] == Keys(name).root:
                yield name


def _of_functions(clients: Clients, role_arn: str) -> Iterator[str]:
    """Yield the classifiers of functions with this role; those of another deployment have the role of its stack.

    Without a role none is yielded: a function that is left costs nothing, and one of another deployment is needed.
    """
    for page in clients.functions.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            if function["FunctionName"].startswith(PREFIX) and function["Role"] == role_arn:
                tags = clients.functions.list_tags(Resource=function["FunctionArn"]).get("Tags", {})
                yield from [tags[TAG]] if TAG in tags else []


def _of_endpoints(clients: Clients, bucket: str) -> Iterator[str]:
    """Yield the classifiers of endpoints; those of another deployment serve models of its bucket."""
    for page in clients.sagemaker.get_paginator("list_endpoints").paginate(NameContains=PREFIX):
        for endpoint in page["Endpoints"]:
            served = buckets_of_endpoint(clients.sagemaker, endpoint["EndpointName"])
            if served and bucket and bucket not in served:
                continue
            pages = clients.sagemaker.get_paginator("list_tags").paginate(ResourceArn=endpoint["EndpointArn"])
            yield from (tag["Value"] for tags in pages for tag in tags["Tags"] if tag["Key"] == TAG)


def _attachments(iam: "IAMClient", stack: Mapping[str, Any]) -> Iterator[Attachment]:
    for key in ("AirflowPolicyArn", "ApiServerPolicyArn", "AirflowKmsPolicyArn"):
        if arn := output_of(stack, key):
            for page in iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn):
                yield from (Attachment(arn, "role", role["RoleName"]) for role in page["PolicyRoles"])
                yield from (Attachment(arn, "user", user["UserName"]) for user in page["PolicyUsers"])
                yield from (Attachment(arn, "group", group["GroupName"]) for group in page["PolicyGroups"])
