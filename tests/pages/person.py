"""Represents a user who is signed in to Airflow in a browser, with one page open."""

import re
from typing import Any, Protocol

from playwright.sync_api import BrowserContext, Locator, Page, Response

PATIENCE_MS = 60_000


class SignInAt(Protocol):
    """An Airflow: its address, and the passwords of its users."""

    url: str
    passwords: dict[str, str]


class Person:
    """Signs in; every error that the browser reports afterwards is kept.

    Args:
        context: of a browser of their own.
        airflow: where they sign in.
        name: the user's.
        classifier: whose pages they open.

    """

    def __init__(self, context: BrowserContext, airflow: SignInAt, name: str, *, classifier: str = "pets") -> None:
        self.airflow, self.name, self.errors = airflow, name, list[str]()
        self._pages = f"{airflow.url}/image-classifier/{classifier}"
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        self.page.goto(f"{airflow.url}/auth/login")
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=password]", airflow.passwords[name])
        self.page.click("button[type=submit]")
        self.page.wait_for_url(re.compile(r"^(?!.*login).*$"))
        self.errors.clear()

    def open(self, address: str) -> Response:
        """A page of the classifier."""
        answer = self.page.goto(f"{self._pages}/{address}")
        assert answer is not None
        return answer

    @property
    def status(self) -> Locator:
        """What the page says last."""
        return self.page.locator("#status")

    @property
    def keys(self) -> list[Any]:
        """The keys of the images that the page shows."""
        return [tile.get_attribute("data-key") for tile in self.page.locator(".tile").all()]

    def started_run(self) -> str:
        """The id of the run that a button has started."""
        link = self.page.locator("#triggered a")
        link.wait_for()
        return link.inner_text()
