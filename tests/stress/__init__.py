"""Programs that attack the package for as long as they are told to."""
