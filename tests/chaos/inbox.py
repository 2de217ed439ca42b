"""Takes the messages that `notify` sends to a webhook."""

import http.server
import json
import threading
from typing import Any


class Inbox:
    """A web server that keeps every JSON object that is posted to it; enter it to start it."""

    def __init__(self) -> None:
        self.messages = list[dict[str, Any]]()
        messages = self.messages

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def about(self, classifier: str, *, event: str) -> list[dict[str, Any]]:
        """The messages of one kind about a classifier."""
        return [one for one in self.messages if (one["classifier"], one["event"]) == (classifier, event)]

    def __enter__(self) -> "Inbox":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
