"""Measurements of searchkit beside its peers, on the same articles; README.md says how to run and read them."""
