"""Prepares images in shards: a listing, shards that may run anywhere and in any order, and a step that joins them."""
