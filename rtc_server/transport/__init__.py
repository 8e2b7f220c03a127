"""Wires: each turns a client connection into PCM in, and PCM and events out."""
