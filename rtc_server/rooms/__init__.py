"""Rooms: one speaker, heard by many in their own languages."""
