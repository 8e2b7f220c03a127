"""Lifetime of one speaker: admission, tasks, settings, close."""
