"""Silence between two segments of a playout. Pure."""


class PlayoutGap:
    """Silence that is due between the segment played last and the next one.

    Segments of one group follow each other without any. That a group is over may become known after
    its last segment was played, so the silence counts from that segment's end.
    """

    def __init__(self) -> None:
        self.due_samples = 0
        """Silence that must pass before anything else is played."""
        self._group = ""
        """Group that may continue without a pause; empty for none."""
        self._group_samples = 0
        """Silence between that group and the next one."""
        self._passed_samples = 0
        """Silence since that group's last sample."""

    def end(self, group: str, samples: int, *, pause: bool) -> None:
        """Note that a segment was played to its end.

        Args:
            group: its group.
            samples: length of the silence after it, if there is one.
            pause: True if there is one, whatever the group of the next segment.
        """
        self.due_samples = samples if pause else 0
        self._group = "" if pause else group
        self._group_samples, self._passed_samples = samples, 0

    def begin(self, group: str) -> None:
        """Note that a segment of this group is the next to be played."""
        if self._group and self._group != group:
            self.due_samples = max(0, self._group_samples - self._passed_samples)
            self._group = ""

    def take(self, most: int) -> int:
        """Let up to `most` samples of the silence pass; return their number."""
        taken = min(self.due_samples, most)
        self.due_samples -= taken
        return taken

    def wait(self, samples: int) -> None:
        """Let silence pass because there is nothing to play."""
        self._passed_samples += samples

    def clear(self) -> None:
        """Forget the segment played last: the next one begins at once."""
        self.due_samples, self._group = 0, ""
