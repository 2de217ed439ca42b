import pytest
from scipy.stats import fisher_exact

from image_classifier.evaluate.report.scored import ScoredImage, scored_table
from image_classifier.evaluate.report.segments import segments, source_of


def table_of(images):
    """Of (is right, facts): two classes in turn."""
    scored = []
    for place, (right, facts) in enumerate(images):
        label = place % 2
        answer = label if right else 1 - label
        scored.append(ScoredImage(str(place), label, [float(answer == 0), float(answer == 1)], **facts))
    return scored_table(scored, num_classes=2)


def named(found):
    return {(one.kind, one.name): one for one in found}


def test_dark_images_on_which_the_model_fails_are_a_weak_segment():
    dark = [(place % 3 > 0, {"brightness": 20.0}) for place in range(60)]
    light = [(True, {"brightness": 150.0}) for _ in range(200)]

    [segment] = segments(table_of(dark + light))

    assert (segment.kind, segment.weak, segment.accuracy.of) == ("dark", True, 60)
    assert "at most 20 of 255" in segment.name
    assert segment.p_value == pytest.approx(fisher_exact([[40, 20], [200, 0]], alternative="less").pvalue, abs=1e-6)
    assert (segment.rest.right, segment.rest.of) == (200, 200)


def test_a_segment_as_accurate_as_the_rest_is_shown_and_is_not_weak():
    images = [(place % 10 > 0, {"width": 100 + place, "height": 50}) for place in range(200)]

    [segment] = segments(table_of(images))

    assert (segment.kind, segment.weak, segment.accuracy.of) == ("small", False, 50)


def test_images_of_one_size_have_no_smallest_quarter():
    assert segments(table_of([(True, {"width": 64, "height": 64})] * 200)) == ()


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("cat/cam1/7.jpg", "cam1"),
        ("cat/cam1/2024/7.jpg", "cam1"),
        ("cat/cam1_7.jpg", "cam1"),
        ("cat/IMG-7.jpg", "IMG"),
        ("cat/7.jpg", None),
        ("cat/0007-3.jpg", None),
    ],
)
def test_a_source_is_a_folder_below_the_class_or_a_files_prefix(name, source):
    assert source_of(name) == source


def test_only_a_source_of_several_classes_is_a_segment():
    old = [(place % 2 > 0 or place > 20, {"name": f"c/old/{place}.jpg"}) for place in range(40)]
    new = [(True, {"name": f"c/new/{place}.jpg"}) for place in range(100)]
    single = [(True, {"name": f"c/{['one', 'two'][place % 2]}/{place}.jpg"}) for place in range(100)]

    found = named(segments(table_of(old + new + single)))

    assert set(found) == {("source", "old"), ("source", "new")}
    assert found["source", "old"].weak
    assert not found["source", "new"].weak  # it is much better than the rest


def test_a_segment_of_a_few_images_says_nothing():
    images = [(True, {"name": f"c/old/{place}.jpg"}) for place in range(19)]

    assert segments(table_of(images + [(True, {"name": "c/7.jpg"})] * 100)) == ()


@pytest.mark.parametrize(("others", "shown"), [(19, 0), (20, 1)])
def test_a_segment_is_compared_with_twenty_other_images_at_least(others, shown):
    images = [(True, {"name": f"c/old/{place}.jpg"}) for place in range(100)]

    assert len(segments(table_of(images + [(True, {"name": "c/7.jpg"})] * others))) == shown


def test_one_of_four_sources_is_weak_only_after_the_correction_for_four():
    wrong = {"s0": 4, "s1": 1, "s2": 1, "s3": 0}
    images = [(place >= wrong[source], {"name": f"c/{source}/{place}.jpg"}) for source in wrong for place in range(40)]

    weakest = segments(table_of(images))[0]

    assert (weakest.name, weakest.weak) == ("s0", False)
    assert 0.0125 < weakest.p_value < 0.05


def test_holms_correction_calls_no_segment_weak_without_a_difference():
    images = [(place % 7 > 0, {"name": f"c/s{place % 8 // 2}/{place}.jpg"}) for place in range(400)]

    assert not [one for one in segments(table_of(images)) if one.weak]
