"""Extracts the small pictures from a data set's report.html, the only stored pictures of rejected images."""

import re
from html.parser import HTMLParser

JPEG = re.compile(r"data:image/jpeg;base64,[A-Za-z0-9+/]+=*")  # what the report writes; nothing else is shown


def pictures_of(page: bytes) -> dict[str, str]:
    """Return the pictures of a report.html as data URIs, by the image's name in the source."""
    parser = _Pictures()
    parser.feed(page.decode("utf-8", "replace"))
    return parser.found


class _Pictures(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        name, address = values.get("alt"), values.get("src")
        if tag == "img" and name and address and JPEG.fullmatch(address):
            self.found[name] = address
