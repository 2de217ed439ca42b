"""Shows resources to people, below /_console of both servers, where the links of Airflow's tasks lead."""

from local_aws.pages.app import pages, with_pages
from local_aws.pages.documents import OBJECTS, PREFIX

__all__ = ["OBJECTS", "PREFIX", "pages", "with_pages"]
