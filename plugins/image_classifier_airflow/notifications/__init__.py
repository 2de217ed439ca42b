"""Notifies people when a run fails or takes too long, as the classifier's file says; the providers' notifiers send."""
