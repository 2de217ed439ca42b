"""The program of the image that SageMaker Processing runs to prepare images; see `image_classifier.prepare`."""
