"""Every exception that minilayer defines.

    MinilayerError
      CheckpointError   also ValueError      a file or model that cannot be read or stored
      ResumeError       also ValueError      a checkpoint that the run cannot go on from
      DataError         also ValueError      rows that cannot be read, or that have changed
      CurvatureError    also TypeError       a layer or loss without second derivatives
      ClusterError      also RuntimeError    a cluster without workers, or rows it cannot load
      GradientError     also AssertionError  a wrong derivative
      LayerError        also AssertionError  a layer that breaks the contract of Layer
      LossError         also AssertionError  a loss that breaks the contract of Loss

Wrong arguments raise TypeError or ValueError, as everywhere in Python.
"""

from __future__ import annotations


class MinilayerError(Exception):
    """The base of minilayer's own exceptions."""


class CheckpointError(MinilayerError, ValueError):
    """A file is not a checkpoint this library can read, or a model cannot be stored."""


class ResumeError(MinilayerError, ValueError):
    """A run cannot go on from a checkpoint or journal: another's, a damaged one, or one in use."""


class DataError(MinilayerError, ValueError):
    """Rows cannot be read, or are not those that the objective was made with."""


class CurvatureError(MinilayerError, TypeError):
    """A layer or loss does not define what Hessian products need."""


class GradientError(MinilayerError, AssertionError):
    """A derivative is wrong; the message names the layer and the derivative."""


class LayerError(MinilayerError, AssertionError):
    """A layer breaks the contract of Layer; the message says what was expected and found."""


class LossError(MinilayerError, AssertionError):
    """A loss breaks the contract of Loss; the message says what was expected and found."""


class ClusterError(MinilayerError, RuntimeError):
    """A cluster has no workers, or cannot load or evaluate a part of the rows."""
