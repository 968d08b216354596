"""Writing a run down while it goes on, and taking it up again."""
