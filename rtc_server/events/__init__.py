"""Typed client and server events, and their JSON."""
