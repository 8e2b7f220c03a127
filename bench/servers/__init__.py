"""Servers that benches measure; each runs in a process of its own and prints its port."""
