from image_classifier.promote.eligibility import Identity, eligible


def alone(sha256):
    return Identity(sha256, sha256)


def test_an_image_that_a_model_was_trained_on_is_not_eligible():
    assert eligible([alone("a"), alone("b")], learned_from=[alone("b")]) == {"a"}


def test_a_near_duplicate_of_such_an_image_is_not_eligible():
    assert eligible([Identity("a", "g"), alone("b")], learned_from=[Identity("c", "g")]) == {"b"}


def test_an_image_whose_groups_first_image_was_trained_on_is_not_eligible():
    assert eligible([Identity("a", "first")], learned_from=[alone("first")]) == frozenset()


def test_the_first_image_of_a_group_that_was_trained_on_is_not_eligible():
    assert eligible([alone("first")], learned_from=[Identity("c", "first")]) == frozenset()
