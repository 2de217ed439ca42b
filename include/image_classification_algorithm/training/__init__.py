"""`train`: from the channels and hyperparameters of a training job to a model artifact."""
