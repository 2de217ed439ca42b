"""Creates the clients of S3 and of the endpoint from models of the operations that the function uses.

For any client botocore reads the models of all operations of its service, and the endpoints of all services, which is
a third of a cold start. ``service_models`` holds only those of the function, and of answers only the members that the
function reads, in botocore's own format (the docstring of ``botocore.loaders`` describes it);
``laptop/service_models.py`` writes them from the pinned botocore. Lambda's runtime has a release of botocore of its
own: if the clients cannot make a request from these models, botocore's models are loaded instead.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import botocore
import botocore.session
from botocore.config import Config
from botocore.handlers import add_expect_header, add_retry_headers
from botocore.loaders import Loader

from image_classifier_inference.endpoint import READ_TIMEOUT_S
from image_classifier_inference.log_lines import write

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_sagemaker_runtime.client import SageMakerRuntimeClient

SERVICE_MODELS = Path(__file__).parent / "service_models"
# Half of the function's time for a small image is botocore's. Without the optional checksums S3 still checks the
# SHA-256 of each body, which the signature contains, and the arguments of these few calls need no validation.
_LEAN = Config(
    parameter_validation=False,
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
S3_CONFIG = _LEAN.merge(
    Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
)
RUNTIME_CONFIG = _LEAN.merge(Config(connect_timeout=3, read_timeout=READ_TIMEOUT_S, retries={"total_max_attempts": 1}))


class FunctionModels(Loader):
    """A botocore loader of the models in `folder` only, which contain fewer operations and services than botocore's."""

    def __init__(self, folder: Path) -> None:
        super().__init__(extra_search_paths=[str(folder)], include_default_search_paths=False)

    def is_builtin_path(self, path: str) -> bool:
        """Return whether the path is in the folder; otherwise one address would serve the buckets of all regions."""
        return path.startswith(tuple(self.search_paths))


@dataclass(frozen=True)
class Clients:
    """The clients of the function."""

    s3: "S3Client"
    runtime: "SageMakerRuntimeClient"


def make_clients(service_models: Path = SERVICE_MODELS) -> Clients:
    """Return clients that have read `service_models`, or botocore's own models if those do not fit. No network call."""
    try:
        clients = _clients(FunctionModels(service_models))
        _prepare_requests(clients)
    except Exception as error:  # noqa: BLE001 - whatever another release of botocore makes of the models
        write(service_models="botocore's", botocore=botocore.__version__, reason=repr(error))
        return _clients(Loader())
    return clients


def _clients(loader: Loader) -> Clients:
    session = botocore.session.get_session()
    session.register_component("data_loader", loader)
    user_agent = Config(user_agent=session.user_agent())  # otherwise botocore builds it twice for each request
    s3 = cast("S3Client", session.create_client("s3", config=S3_CONFIG.merge(user_agent)))
    runtime = session.create_client("sagemaker-runtime", config=RUNTIME_CONFIG.merge(user_agent))
    # With "Expect: 100-continue" a write costs a second round trip, to save the transfer of a few kilobytes.
    s3.meta.events.unregister("before-call.s3", add_expect_header)
    for client in (s3, runtime):
        client.meta.events.unregister("request-created", add_retry_headers)  # AWS does not act on these headers
    return Clients(s3, cast("SageMakerRuntimeClient", runtime))


def _prepare_requests(clients: Clients) -> None:
    """Let the clients find credentials and endpoints, and serialize and sign one request of each operation."""
    for operation in ("get_object", "put_object"):
        clients.s3.generate_presigned_url(operation, Params={"Bucket": "bucket", "Key": "key"})
    clients.runtime.generate_presigned_url("invoke_endpoint", Params={"EndpointName": "endpoint", "Body": b""})
