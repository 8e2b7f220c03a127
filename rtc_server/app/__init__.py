"""Composition root: builds everything, starts and stops it in order."""
