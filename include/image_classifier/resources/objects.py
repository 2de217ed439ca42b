"""Whether an object is there: absence is an answer, everything else that S3 refuses is an error."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

HTTP_NOT_FOUND = 404


def object_exists(s3: "S3Client", *, bucket: str, key: str) -> bool:
    """HeadObject's answer has no body, so the status is all there is; without s3:ListBucket it would be 403."""
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTP_NOT_FOUND:
            return False
        raise
    return True
