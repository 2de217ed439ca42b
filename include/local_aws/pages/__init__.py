"""Pages for people, below /_console of both servers: what a task's buttons lead to. They read the API alone."""

from local_aws.pages.app import pages, with_pages
from local_aws.pages.documents import OBJECTS, PREFIX

__all__ = ["OBJECTS", "PREFIX", "pages", "with_pages"]
