"""Checks that the links of tasks lead to the page about their result, within Airflow's navigation."""

from types import SimpleNamespace

import pytest

from image_classifier_airflow import page_links

SHOWN = "https://airflow.example.com/plugin/image-classifiers/image-classifier/pets"


@pytest.fixture(autouse=True)
def base_url(monkeypatch):
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com/")


def address(link, **task):
    return link.get_link(SimpleNamespace(**task), ti_key=None)


def test_the_task_that_prepares_leads_to_its_version_of_the_data_set():
    link = page_links.dataset_page("pets")

    assert address(link, result={"fingerprint": "f00"}) == f"{SHOWN}/dataset?version=f00"
    assert address(link, result=None) == f"{SHOWN}/dataset"  # it failed


def test_tasks_about_a_model_lead_to_its_report():
    job = {"training_job": "job-1"}

    assert address(page_links.model_page("pets"), arguments=[{}, job]) == f"{SHOWN}/model?job=job-1"
    assert address(page_links.asked_page("pets"), inputs={"job": job}) == f"{SHOWN}/model?job=job-1"


def test_later_tasks_lead_to_the_predictions_and_their_figures():
    assert address(page_links.gallery_page("pets")) == f"{SHOWN}/gallery"
    assert address(page_links.overview_page("pets")) == f"{SHOWN}/overview"


def test_an_airflow_below_a_path_has_it_before_the_entry_and_the_page(monkeypatch):
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://example.com/below")

    url = page_links.page_url("pets", "gallery")

    assert url == "https://example.com/below/plugin/image-classifiers/below/image-classifier/pets/gallery"
