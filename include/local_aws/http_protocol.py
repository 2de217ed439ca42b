"""Parses HTTP for both servers with httptools, a parser in C."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol; in addition the application sees a target that is not a path as it was sent."""

    def on_headers_complete(self) -> None:
        """Start the request; `ForeignRequests` refuses a whole URL, of which uvicorn passes on only the path."""
        super().on_headers_complete()  # the application starts later, in a task
        if not self.url.startswith(b"/"):
            self.scope["path"] = self.url.decode("latin-1")
