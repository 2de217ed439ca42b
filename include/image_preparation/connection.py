"""Makes S3 clients with the rights of the job's role, in each process of an instance."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CONNECTIONS = 16  # the threads of one process read and write at once
TRIES = 10


@dataclass(frozen=True)
class Connection:
    """Makes a client; botocore finds the role's credentials, and renews them.

    Attributes:
        region: where the job runs.

    """

    region: str

    def __call__(self) -> "S3Client":
        """Make the client."""
        config = Config(retries={"total_max_attempts": TRIES, "mode": "standard"}, max_pool_connections=CONNECTIONS)
        client: Any = botocore.session.get_session().create_client("s3", region_name=self.region, config=config)
        return client  # type: ignore[no-any-return]
