"""Defines the networks that can be trained and writes them as ONNX graphs."""
