"""The cases of the walk: each a function whose doc string is its name."""
