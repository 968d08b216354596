"""Networks in HDF5 files that are replaced in one step and read without trust."""

from .writer import load, load_loss, load_metadata, load_parameters, load_state, save

__all__ = ["load", "load_loss", "load_metadata", "load_parameters", "load_state", "save"]
