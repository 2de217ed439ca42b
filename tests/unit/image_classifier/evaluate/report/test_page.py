import re
from html.parser import HTMLParser

import pytest

from image_classifier.evaluate.proportions import proportion
from image_classifier.evaluate.report.assemble import Subject, make_report
from image_classifier.evaluate.report.model import DatasetVersion, Epoch, Report, Training, TrialFigures, TuningFigures
from image_classifier.evaluate.report.page import report_page
from image_classifier.evaluate.report.scored import ScoredImage, scored_table

VOID = {"meta", "img", "br", "link"}


class Tags(HTMLParser):
    """Collects elements and the text, and finds an element that is not closed."""

    def __init__(self):
        super().__init__()
        self.seen, self.open, self.texts = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def parsed(page):
    tags = Tags()
    tags.feed(page.decode())
    assert tags.open == []
    return tags


def make(table, *, labels=None, pictures=None, epochs=(), missing=(), tuning=None, validation=None):
    labels = labels or tuple(f"class {index}" for index in range(table.num_classes))
    subject = Subject(
        classifier="pets",
        labels=labels,
        training=Training(training_job="image-classifier-pets-1", epochs=epochs, seconds=75, cost_usd=0.5),
        dataset=DatasetVersion(fingerprint="f00", test_manifest="0badcafe", train=9, validation=2, test=4),
        unsure_below=0.5,
        wanted_accuracy=0.95,
        calibrate=False,
        tuning=tuning,
    )
    report = make_report(subject, test=table, validation=validation, missing=missing)
    return report, report_page(report, pictures=pictures or {})


def test_the_page_shows_the_accuracy_with_its_interval_and_every_class(table):
    report, page = make(table)
    text = " ".join(parsed(page).texts)

    assert f"{report.accuracy.value:.1%}" in text
    assert f"interval {report.accuracy.low:.1%} to {report.accuracy.high:.1%}" in text
    assert all(label in text for label in report.labels)
    assert "1 min 15 s" in text


def test_the_lowest_recall_is_first_and_a_class_without_images_last():
    answers = [(0, [0.9, 0.1, 0]), (0, [0.9, 0.1, 0]), (2, [0.9, 0, 0.1]), (2, [0, 0, 1])]
    table = scored_table([ScoredImage(str(place), *one) for place, one in enumerate(answers)], num_classes=3)

    _, page = make(table, labels=("cat", "dog", "emu"))

    section = page[page.index(b"<h2>Classes</h2>") : page.index(b"<h2>Which classes")]
    assert re.findall(rb'scope="row">(\w+)<', section) == [b"emu", b"cat", b"dog"]


def test_the_page_needs_no_script_and_no_other_host(table):
    _, page = make(table, pictures={table.images[0].key: b"\xff\xd8"})
    tags = parsed(page)
    addresses = [value for _, attributes in tags.seen for name, value in attributes.items() if name in ("src", "href")]

    assert not {"script", "link", "iframe"} & {tag for tag, _ in tags.seen}
    assert all(address.startswith("data:") for address in addresses)
    assert not re.search(rb"https?://|url\(|@import", page)
    assert not [name for _, attributes in tags.seen for name in attributes if name.startswith("on")]


def test_names_from_the_data_set_cannot_become_markup():
    images = [ScoredImage("k", 0, [0.1, 0.9], name="<script>alert(1)</script>"), ScoredImage("l", 1, [0.1, 0.9])]

    _, page = make(scored_table(images, num_classes=2), labels=("<b>cat</b>", '"dog"'))

    assert b"<script>" not in page
    assert b"<b>cat</b>" not in page
    assert b"&lt;b&gt;cat" in page


def test_a_mistake_is_shown_with_its_picture():
    table = scored_table([ScoredImage("pets/1.jpg", 0, [0.1, 0.9]), ScoredImage("l", 1, [0, 1])], num_classes=2)

    _, page = make(table, pictures={"pets/1.jpg": b"\xff\xd8\xff"})

    assert b'<img src="data:image/jpeg;base64,/9j/"' in page


def test_a_perfect_model_of_two_classes_has_a_page_too():
    table = scored_table(
        [ScoredImage(str(place), place % 2, [1 - place % 2, place % 2]) for place in range(30)], num_classes=2
    )

    _, page = make(table)

    assert b"The model is right on every test image." in page
    assert b"Every test image is classified correctly." in page


@pytest.mark.parametrize("images", [23, 100])
def test_the_page_says_where_a_temperature_is_fitted_only_if_one_is(table, make_table, images):
    _, page = make(table, validation=make_table(2, classes=table.num_classes, images=images))

    assert (b"No temperature is fitted: there are 23 validation images" in page) == (images == 23)
    assert (b"It is fitted on" in page) == (b"The function does not apply it" in page) == (images == 100)
    assert (b"with temperature 1.00" in page) is False


def test_a_hundred_classes_have_no_matrix_that_nobody_can_read(make_table):
    _, page = make(make_table(1, classes=100, images=300))

    assert b'class="matrix"' not in page
    assert b"predicted as" in page


@pytest.mark.parametrize(
    "epochs",
    [
        (Epoch(epoch=0, train_accuracy=0.5, validation_accuracy=0.4),),
        (Epoch(epoch=0, train_accuracy=None, validation_accuracy=None),),
        tuple(Epoch(epoch=n, train_accuracy=0.5 + n / 20, validation_accuracy=1.0) for n in range(8)),
    ],
)
def test_training_curves_are_drawn_from_whatever_epochs_the_log_had(table, epochs):
    _, page = make(table, epochs=epochs)

    parsed(page)
    assert b"nan" not in page


def test_images_without_an_answer_are_named(table):
    _, page = make(table, missing=("pets/dataset/test/7.jpg",))

    assert b"1 test image has no answer and is in no figure: pets/dataset/test/7.jpg" in page


def trial(number, *, scored=None, last=0.7):
    return TrialFigures(
        training_job=f"search-00{number}",
        hyperparameters={"learning_rate": "0.012345678", "optimizer": "nag"},
        status="Completed" if last else "Failed",
        is_default=number == 0,
        last_epoch_accuracy=last,
        validation=None if scored is None else proportion(scored, 100),
    )


def test_every_training_job_of_a_search_is_in_the_table_and_in_the_plot(table):
    search = TuningFigures(
        tuning_job="search",
        strategy="Bayesian",
        max_jobs=4,
        max_parallel=2,
        early_stopping=True,
        ranges={"learning_rate": "0.01 to 0.1, Logarithmic", "optimizer": "sgd, nag"},
        trials=(trial(0, scored=80, last=None), trial(1, last=None), trial(2, scored=90), trial(3)),
        chosen="search-002",
    )

    report, page = make(table, tuning=search)

    tags = parsed(page)
    text = " ".join(tags.texts)
    assert Report.model_validate_json(report.document()) == report
    assert "Bayesian search, at most 4 training jobs, 2 at once, stopped early if they lag behind" in text
    assert "0.01235" in text
    assert "90.0%" in text
    assert text.count("the file's") == 1
    assert text.count("Failed") == 1
    assert sum(attrs.get("class") == "dot hollow" for tag, attrs in tags.seen if tag == "circle") == 2


def test_a_model_that_was_trained_alone_has_no_table_of_trials(table):
    _, page = make(table)

    assert "Which hyperparameters were tried" not in page.decode()
