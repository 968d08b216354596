"""Training on many machines with Dask (extra ``dask``). README.md beside this file explains it."""

from .objective import DaskObjective

__all__ = ["DaskObjective"]
