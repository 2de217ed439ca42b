"""The program behind every image of moto's tests: a job ends with success, an endpoint answers with what it is sent."""

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Echo(BaseHTTPRequestHandler):
    """Answers the two paths of a serving container."""

    def do_GET(self) -> None:
        """/ping: ready."""
        self._answer(b"")

    def do_POST(self) -> None:
        """/invocations: the request's body."""
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__" and "serve" in sys.argv:
    address = ("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"]))
    ThreadingHTTPServer(address, Echo).serve_forever()
