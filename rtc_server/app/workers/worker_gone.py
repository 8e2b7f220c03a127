"""Failures between the supervisor and its workers; clients never see them."""


class WorkerGone(Exception):
    """The connection to a worker failed before there was an answer."""
