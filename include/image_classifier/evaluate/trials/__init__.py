"""Which of a run's trained models is evaluated on the test images: the best one on the validation images."""
