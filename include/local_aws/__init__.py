"""The AWS of a laptop: MiniStack, and a SageMaker server that runs real processes."""
