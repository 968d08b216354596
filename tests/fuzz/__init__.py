"""Files that know the format and are wrong somewhere, made at random and given to the readers."""
