"""Models, endpoint configs and endpoints: from the model artifact to an answer."""
