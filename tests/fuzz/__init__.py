"""Damaged input at everything that reads what strangers send. See `campaign`."""
