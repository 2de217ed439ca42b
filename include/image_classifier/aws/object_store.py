"""Opens a bucket with obstore as a boto3 client reaches it; obstore uploads small objects with less CPU time."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from botocore.signers import RequestSigner
    from obstore.store import ClientConfig, S3Credential, S3Store
    from types_boto3_s3 import S3Client

# obstore asks again when its credentials have less than five minutes left, and botocore's own are good for at least ten
# more when it hands them out: it replaces those that have less (botocore.credentials.RefreshableCredentials).
KEPT_FOR: Final = timedelta(minutes=6)
MAX_RETRIES: Final = 5
RETRY_TIMEOUT: Final = timedelta(seconds=60)
SIGNATURE: Final = "s3v4"  # obstore's only one
_PROBE: Final = "x"


@dataclass(frozen=True)
class ClientCredentials:
    """The credentials of a client; botocore replaces temporary ones before they expire."""

    signer: "RequestSigner"
    region: str

    def __call__(self) -> "S3Credential":
        found = self.signer.get_auth_instance("s3", self.region, SIGNATURE).credentials
        return {
            "access_key_id": found.access_key,
            "secret_access_key": found.secret_key,
            "token": found.token,
            "expires_at": datetime.now(UTC) + KEPT_FOR,
        }


@dataclass(frozen=True)
class Address:
    """How a client reaches a bucket.

    Attributes:
        url: what its objects are below, without a slash at the end.
        region: that requests are signed for.
        signature_version: botocore's name of it.

    """

    url: str
    region: str
    signature_version: str
    signer: "RequestSigner"


def object_store(s3: "S3Client", *, bucket: str) -> "S3Store | None":
    """Open a bucket with the client's credentials, at its endpoint, through its proxy; objects carry a SHA-256.

    Returns:
        The store, or None if the bucket wants signatures that obstore cannot make (S3 Express, multi-region access).

    Raises:
        NoCredentialsError: the client has none.
        OSError: a file of trusted certificates cannot be read.
        ValueError: it holds something else.

    """
    from obstore.store import S3Store

    address = address_of(s3, bucket=bucket)
    if address.signature_version != SIGNATURE:
        return None
    return S3Store(
        bucket,
        config={
            "endpoint": address.url,
            "aws_endpoint_url_s3": address.url,  # which would otherwise be the environment's
            "virtual_hosted_style_request": True,  # the address names the bucket, in its host or in its path
            "region": address.region,
            "checksum_algorithm": "SHA256",
            "skip_signature": False,
        },
        client_options=_client_options(s3, address.url),
        retry_config={"max_retries": MAX_RETRIES, "retry_timeout": RETRY_TIMEOUT},
        credential_provider=ClientCredentials(address.signer, address.region),
    )


def address_of(s3: "S3Client", *, bucket: str) -> Address:
    """Return the address that botocore computes for the bucket, for all partitions, FIPS, dual stack, access points.

    The request is noted and answered here; nothing is sent.
    """
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.compat import HTTPHeaders
    from urllib3 import HTTPResponse

    signing: dict[str, Any] = {}
    urls: list[str] = []

    def note(**event: Any) -> None:
        signing.update(event)

    def answer(request: AWSPreparedRequest, **_: Any) -> Any:
        urls.append(str(request.url))
        return AWSResponse(str(request.url), HTTPStatus.OK, HTTPHeaders(), HTTPResponse(io.BytesIO()))

    handlers: dict[str, Any] = {"before-sign.s3.HeadObject": note, "before-send.s3.HeadObject": answer}
    for event, handler in handlers.items():
        s3.meta.events.register_first(event, handler)
    try:
        s3.head_object(Bucket=bucket, Key=_PROBE)
    finally:
        for event, handler in handlers.items():
            s3.meta.events.unregister(event, handler)
    url = urls[0].removesuffix(f"/{_PROBE}")
    return Address(url, signing["region_name"], signing["signature_version"], signing["request_signer"])


def _client_options(s3: "S3Client", url: str) -> "ClientConfig":
    config: Any = s3.meta.config  # whose stubs lack the fields
    is_plain = urlsplit(url).scheme == "http"
    options: ClientConfig = {
        "allow_http": is_plain,
        "connect_timeout": timedelta(seconds=config.connect_timeout),
        "timeout": timedelta(seconds=config.connect_timeout + config.read_timeout),
    }
    if proxy := _proxy(config.proxies, url):
        options["proxy_url"] = proxy
    if authorities := (config.proxies_config or {}).get("proxy_ca_bundle"):
        options["proxy_ca_certificate"] = Path(authorities).read_text()
    trusted = _trusted(s3)
    if trusted is False:
        options["allow_invalid_certificates"] = True
    elif isinstance(trusted, str) and not is_plain:
        options["root_certificate"] = Path(trusted).read_text()
    return options


def _proxy(configured: Any, url: str) -> str | None:
    """Return the proxy of an address: the client's setting, otherwise that of HTTPS_PROXY and NO_PROXY."""
    from botocore.utils import get_environ_proxies

    proxies = get_environ_proxies(url) if configured is None else configured
    return proxies.get(urlsplit(url).scheme)


def _trusted(s3: "S3Client") -> bool | str:
    """Return how the client verifies certificates: by the file at a path, by the usual ones (True), or not (False).

    botocore keeps what it decided from the argument `verify`, AWS_CA_BUNDLE, the profile and REQUESTS_CA_BUNDLE in an
    attribute that is not public; where it is not found, boto3 uploads what obstore does not trust.
    """
    session = getattr(getattr(s3, "_endpoint", None), "http_session", None)
    found = getattr(session, "_verify", True)
    return found if isinstance(found, bool | str) else True
