"""Makes the access keys of a local AWS, once for each state folder: for root, Airflow, its API server and uploads."""

import json
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from botocore.client import BaseClient

from local_aws.clients import ACCESS_KEY, ClientError, client
from local_aws.processes.state_folder import write_atomically

log = logging.getLogger(__name__)

KEYS_FILE = "keys.json"
AIRFLOW_USER = "image-classifier-airflow"
API_SERVER_USER = "image-classifier-api-server"
UPLOAD_USER = "image-classifier-uploads"


def where_keys_are(file: Path) -> str:
    """Return the hint for the user that is added to the answer to a refused request."""
    return f"This local AWS enforces IAM; the keys that it has made are in {file}."


@dataclass(frozen=True)
class Key:
    """An access key, stored in keys.json, which only the owner of the state folder can read."""

    access_key: str
    secret: str


class Keys:
    """The keys of one state folder."""

    def __init__(self, state: Path) -> None:
        """Read the stored keys; new ones are made if the file is damaged."""
        self.path = state / KEYS_FILE
        self._keys: dict[str, dict[str, str]] = {}
        try:
            self._keys = json.loads(self.path.read_text())
        except FileNotFoundError:
            pass
        except ValueError as error:
            log.warning("%s is damaged (%s); all keys are made again, also that for uploads", self.path, error)

    def root(self) -> Key:
        """Return the root user's key; its secret is made at the first start."""
        if "root" not in self._keys:
            self._keep("root", Key(ACCESS_KEY, secrets.token_urlsafe(30)))
        return Key(**self._keys["root"])

    def of_user(self, user: str, *, iam: BaseClient) -> Key:
        """Return a key of an IAM user; a new one is made if IAM does not know the stored one."""
        known = {item["AccessKeyId"] for item in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]}
        if user not in self._keys or self._keys[user]["access_key"] not in known:
            for access_key in known:  # a user may have two
                iam.delete_access_key(UserName=user, AccessKeyId=access_key)
            made = iam.create_access_key(UserName=user)["AccessKey"]
            self._keep(user, Key(made["AccessKeyId"], made["SecretAccessKey"]))
        return Key(**self._keys[user])

    def _keep(self, name: str, key: Key) -> None:
        self._keys[name] = {"access_key": key.access_key, "secret": key.secret}
        write_atomically(self.path, json.dumps(self._keys, indent=2) + "\n")


def make_users(endpoint_url: str, *, outputs: Mapping[str, str], bucket: str) -> None:
    """Create the users of Airflow and of its API server, with the stack's policies alone, and the user that uploads.

    A second call changes nothing. `outputs` are the stack's, by name.
    """
    iam = client("iam", endpoint_url=endpoint_url)
    for user in (AIRFLOW_USER, API_SERVER_USER, UPLOAD_USER):
        _ensure_user(iam, user)
    for user, policy in ((AIRFLOW_USER, "AirflowPolicyArn"), (API_SERVER_USER, "ApiServerPolicyArn")):
        for name in (policy, "AirflowKmsPolicyArn"):
            if name in outputs:
                iam.attach_user_policy(UserName=user, PolicyArn=outputs[name])
    document = json.dumps(upload_policy(bucket))
    iam.put_user_policy(UserName=UPLOAD_USER, PolicyName="uploads", PolicyDocument=document)


def upload_policy(bucket: str) -> dict[str, object]:
    """Return the policy of the upload user, which may put images below incoming/ and read predictions."""
    arn = f"arn:aws:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Upload", "Effect": "Allow", "Action": "s3:PutObject", "Resource": f"{arn}/*/incoming/*"},
            {
                "Sid": "Read",
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": f"{arn}/*/predictions/*",
            },
            {
                "Sid": "List",
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": arn,
                "Condition": {"StringLike": {"s3:prefix": "*/predictions/*"}},
            },
        ],
    }


def _ensure_user(iam: BaseClient, user: str) -> None:
    try:
        iam.create_user(UserName=user)
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityAlreadyExists":
            raise
