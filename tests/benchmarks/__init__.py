"""Benchmarks: minilayer beside the tools that a user might pick instead. Run by hand, never collected by pytest.

Start with race.py (the command line); turns.py says how time is taken, contestants/ holds one file a tool.
"""
