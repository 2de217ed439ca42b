"""Calls the AWS services that SageMaker uses: S3, IAM, CloudWatch and CloudWatch Logs at one endpoint; makes ARNs."""

from __future__ import annotations

import dataclasses
import functools
import http
import io
import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from local_aws.clients import ACCESS_KEY, root_secret
from local_aws.sagemaker.protocol.authorization import SECRET_HEADER
from local_aws.sagemaker.protocol.errors import ServiceError, validation_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.client import BaseClient

    from local_aws.sagemaker.documents import Document

REGION = "us-east-1"
ACCOUNT = "000000000000"
DOWNLOAD_THREADS = 16
COPY_BYTES = 1024 * 1024


@dataclass(frozen=True)
class S3Object:
    """One object of a listing."""

    bucket: str
    key: str
    etag: str
    size_bytes: int


@dataclass(frozen=True)
class Aws:
    """Clients of the emulated services. Clients may be used from any thread."""

    endpoint_url: str
    enforces_iam: bool = False
    role_arn: str | None = None  # the role whose credentials are used; None for the root user
    session: str = "SageMaker"

    def acting_as(self, role_arn: str | None, *, session: str) -> Aws:
        """Return the same clients with the credentials of a role, if IAM is enforced."""
        if not self.enforces_iam or role_arn is None:
            return self
        return dataclasses.replace(self, role_arn=role_arn, session=session)

    @functools.cached_property
    def credentials(self) -> dict[str, str]:
        """Return the environment variables that give a program these credentials.

        Raises:
            ClientError: the role cannot be assumed.
            OSError: MiniStack does not answer.

        """
        if self.role_arn is None:
            return {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": root_secret()}
        return assume(self.endpoint_url, self.role_arn, session=self.session)

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of a SageMaker resource."""
        return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"

    @functools.cached_property
    def s3(self) -> BaseClient:
        """A client of S3, with a connection for each download thread."""
        return self._client("s3", max_pool_connections=DOWNLOAD_THREADS, s3={"addressing_style": "path"})

    @functools.cached_property
    def iam(self) -> BaseClient:
        """A client of IAM."""
        return self._client("iam")

    @functools.cached_property
    def logs(self) -> BaseClient:
        """A client of CloudWatch Logs without retries: the caller retries, so that a job does not wait for it."""
        return self._client("logs", connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1})

    @functools.cached_property
    def metrics(self) -> BaseClient:
        """A client of CloudWatch without retries: the caller retries, so that a job does not wait for it."""
        return self._client("cloudwatch", connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1})

    @functools.cached_property
    def cloudwatch(self) -> BaseClient:
        """A client of CloudWatch's metrics and alarms."""
        return self._client("cloudwatch")

    def alarm_states(self, names: tuple[str, ...]) -> dict[str, str]:
        """Return the state of each existing alarm: OK, ALARM or INSUFFICIENT_DATA."""
        if not names:
            return {}
        kinds = ["MetricAlarm", "CompositeAlarm"]
        found = self.cloudwatch.describe_alarms(AlarmNames=list(names), AlarmTypes=kinds)
        alarms = found.get("MetricAlarms", []) + found.get("CompositeAlarms", [])
        return {alarm["AlarmName"]: alarm["StateValue"] for alarm in alarms}

    def check_role(self, role_arn: str) -> None:
        """Refuse a role that SageMaker cannot assume, with the message of AWS."""
        try:
            role = self.iam.get_role(RoleName=role_arn.rpartition("/")[2])["Role"]
        except (ClientError, ParamValidationError):  # an invalid name
            role = None
        except BotoCoreError as error:
            raise unavailable(self.endpoint_url, error) from error
        if role is None or role["Arn"] != role_arn or not trusts_sagemaker(role.get("AssumeRolePolicyDocument")):
            raise cannot_assume(role_arn)

    def bucket_exists(self, bucket: str) -> bool:
        """Return whether the bucket exists."""
        try:
            self.s3.head_bucket(Bucket=bucket)
        except (ClientError, ParamValidationError):  # an invalid name
            return False
        except BotoCoreError as error:
            raise unavailable(self.endpoint_url, error) from error
        return True

    def object_exists(self, uri: str) -> bool:
        """Return whether an object exists at `uri`."""
        bucket, key = split_s3_uri(uri)
        try:
            self.s3.head_object(Bucket=bucket, Key=key)
        except (ClientError, ParamValidationError):  # an invalid name
            return False
        except BotoCoreError as error:
            raise unavailable(self.endpoint_url, error) from error
        return True

    def prefix_has_objects(self, uri: str) -> bool:
        """Return whether an object has a key that starts with this prefix."""
        bucket, prefix = split_s3_uri(uri)
        try:
            return bool(self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("Contents"))
        except (ClientError, ParamValidationError):  # an invalid name
            return False
        except BotoCoreError as error:
            raise unavailable(self.endpoint_url, error) from error

    def objects(self, uri: str) -> Iterator[S3Object]:
        """Yield every object whose key starts with the prefix, which is a string and not a folder."""
        bucket, prefix = split_s3_uri(uri)
        for part in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in part.get("Contents", []):
                yield S3Object(bucket, item["Key"], item["ETag"].strip('"'), item["Size"])

    def object(self, bucket: str, key: str) -> S3Object:
        """Return the key, size and ETag of one object.

        Raises:
            ClientError: S3 does not have it.

        """
        head = self.s3.head_object(Bucket=bucket, Key=key)
        return S3Object(bucket, key, head["ETag"].strip('"'), head["ContentLength"])

    @functools.cached_property
    def _pool(self) -> urllib3.PoolManager:
        return urllib3.PoolManager(maxsize=DOWNLOAD_THREADS, block=True, timeout=60)

    def fetch(self, item: S3Object, *, to: BinaryIO) -> None:
        """Write an object to a file, by a signed URL, which takes less CPU than boto3 for thousands of images."""
        target = {"Bucket": item.bucket, "Key": item.key}
        url = self.s3.generate_presigned_url("get_object", Params=target)
        try:
            answer = self._pool.request("GET", url, preload_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise ConnectionError(f"s3://{item.bucket}/{item.key} cannot be fetched: {error}") from error
        try:
            if answer.status == http.HTTPStatus.OK:
                shutil.copyfileobj(answer, to, COPY_BYTES)
        finally:
            answer.drain_conn()
            answer.release_conn()
        if answer.status != http.HTTPStatus.OK:
            shutil.copyfileobj(self.s3.get_object(**target)["Body"], to, COPY_BYTES)  # raises the named error

    def read(self, bucket: str, key: str) -> bytes:
        """Return the content of an object.

        Raises:
            ClientError: S3 does not give it.
            OSError: S3 does not answer.

        """
        buffer = io.BytesIO()
        self.fetch(S3Object(bucket, key, etag="", size_bytes=0), to=buffer)
        return buffer.getvalue()

    def write(self, bucket: str, key: str, data: bytes) -> None:
        """Store an object, by a signed URL as `fetch` does.

        Raises:
            ClientError: S3 refuses it.
            OSError: S3 does not answer.

        """
        target = {"Bucket": bucket, "Key": key}
        url = self.s3.generate_presigned_url("put_object", Params=target)
        try:
            answer = self._pool.request("PUT", url, body=data)
        except urllib3.exceptions.HTTPError as error:
            raise ConnectionError(f"s3://{bucket}/{key} cannot be stored: {error}") from error
        if answer.status != http.HTTPStatus.OK:
            self.s3.put_object(**target, Body=data)  # raises the named error

    def _client(self, service: str, **options: Any) -> BaseClient:
        session = boto3.Session(
            aws_access_key_id=self.credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.credentials["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=self.credentials.get("AWS_SESSION_TOKEN"),
            region_name=REGION,
        )
        return session.client(service, endpoint_url=self.endpoint_url, config=Config(**options))


def assume(endpoint_url: str, role_arn: str, *, session: str) -> dict[str, str]:
    """Return the environment variables with the credentials of a role that SageMaker assumes.

    Raises:
        ClientError: it cannot be assumed.
        OSError: MiniStack does not answer.

    """
    question = {"role_arn": role_arn, "service": "sagemaker.amazonaws.com", "session": session}
    url, headers = f"{endpoint_url}/_local_aws/iam/assume", {SECRET_HEADER: root_secret()}
    try:
        answer = urllib3.request("POST", url, json=question, headers=headers, timeout=10).json()
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise ConnectionError(f"IAM does not answer at {url}: {error}") from error
    if "access_key" not in answer:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": answer["message"]}}, "AssumeRole")
    return {
        "AWS_ACCESS_KEY_ID": answer["access_key"],
        "AWS_SECRET_ACCESS_KEY": answer["secret"],
        "AWS_SESSION_TOKEN": answer["session_token"],
    }


def cannot_assume(role_arn: str) -> ServiceError:
    """Return the error for a role that SageMaker cannot assume, or cannot assume yet."""
    return validation_error(
        f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role."
    )


def split_s3_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of ``s3://bucket/key``."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise validation_error(f"{uri} is no S3 URI; write s3://<bucket>/<prefix>")
    return bucket, key


def trusts_sagemaker(policy: Document | str | None) -> bool:
    """Return whether a role's trust policy lets SageMaker assume it."""
    document = json.loads(unquote(policy)) if isinstance(policy, str) else policy or {}
    statements = document.get("Statement", [])
    statements = [statements] if isinstance(statements, dict) else statements
    return any(_allows_sagemaker(statement) for statement in statements)


def _allows_sagemaker(statement: Document) -> bool:
    principal = statement.get("Principal", {})
    services = [principal] if isinstance(principal, str) else principal.get("Service", [])
    services = [services] if isinstance(services, str) else services
    return statement.get("Effect") == "Allow" and bool({"sagemaker.amazonaws.com", "*"} & set(services))


def unavailable(endpoint_url: str, error: Exception) -> ServiceError:
    """Return the error for services that do not answer."""
    message = f"The AWS services at {endpoint_url} do not answer ({error}). Start them, then try again."
    return ServiceError("ServiceUnavailable", message, status=503)
