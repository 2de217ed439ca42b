"""MiniStack as one ASGI application, with the cures applied."""

import argparse
from typing import Any

from ministack import app as ministack_app

from local_aws.ministack.saving import Saving


def application(options: argparse.Namespace) -> Any:
    """The application to serve."""
    return Saving(ministack_app.app)
