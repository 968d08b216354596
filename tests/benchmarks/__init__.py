"""Benchmarks: minilayer beside the libraries that a user could take instead.

They are run by hand and never collected by pytest. README.md explains them and holds the results.
"""
