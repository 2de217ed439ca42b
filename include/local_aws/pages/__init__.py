"""Pages for people, below /_console of both servers: what a task's buttons lead to. They read the API alone."""

from local_aws.pages.app import PREFIX, pages, with_pages

__all__ = ["PREFIX", "pages", "with_pages"]
