"""Models for tests: none of this is part of the installed package."""
