"""An S3 client that stores its objects in a folder, so that several processes share a bucket without a server."""

import hashlib
import io
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote, unquote

from botocore.exceptions import ClientError


class Events:
    """botocore's events, as far as `image_classifier.aws.object_store` asks by them how a client signs."""

    def __init__(self):
        self.handlers = []

    def register_first(self, event, handler):
        self.handlers.append(handler)
        handler(
            request=SimpleNamespace(url="http://folder/b/x"),
            region_name="us-east-1",
            signature_version="none",
            request_signer=None,
        )

    def unregister(self, event, handler):
        self.handlers.remove(handler)


EVENTS = Events()


@dataclass(frozen=True)
class FolderS3:
    """The calls that the preparation makes; also what makes the client in another process."""

    folder: Path

    @property
    def meta(self):
        return SimpleNamespace(events=EVENTS)

    def __call__(self):
        """Make the client of another process."""
        return self

    def put_object(self, **request):
        body, file = request["Body"], self.file(request["Bucket"], request["Key"])
        part = self.folder / f".{os.getpid()}.{hashlib.sha256(file.name.encode()).hexdigest()[:8]}"
        part.write_bytes(body)
        part.replace(file)
        return {"ETag": hashlib.md5(body).hexdigest()}

    def get_object(self, **request):
        try:
            data = self.file(request["Bucket"], request["Key"]).read_bytes()
        except FileNotFoundError as error:
            raise self._absent() from error
        return {"Body": io.BytesIO(data), "ETag": hashlib.md5(data).hexdigest(), "ContentLength": len(data)}

    def head_object(self, **request):
        if not EVENTS.handlers and not self.file(request["Bucket"], request["Key"]).exists():
            raise self._absent()
        return {}

    def copy_object(self, **request):
        source = request["CopySource"]
        self.put_object(**request, Body=self.file(source["Bucket"], source["Key"]).read_bytes())

    def delete_objects(self, **request):
        for one in request["Delete"]["Objects"]:
            self.file(request["Bucket"], one["Key"]).unlink(missing_ok=True)
        return {}

    def get_paginator(self, _):
        return self

    def paginate(self, **request):
        prefix = quote(f"{request['Bucket']}/{request['Prefix']}", safe="")
        return [{"Contents": [self._listed(file) for file in sorted(self.folder.glob(f"{prefix}*"))]}]

    def file(self, bucket, key):
        return self.folder / quote(f"{bucket}/{key}", safe="")

    @staticmethod
    def _listed(file):
        data = file.read_bytes()
        return {
            "Key": unquote(file.name).partition("/")[2],
            "Size": len(data),
            "ETag": f'"{hashlib.md5(data).hexdigest()}"',
            "LastModified": datetime.fromtimestamp(file.stat().st_mtime, UTC),
        }

    @staticmethod
    def _absent():
        response = {"Error": {"Code": "404", "Message": "absent"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
        return ClientError(response, "operation")
