"""Silence between two segments of a playout. Pure."""


class PlayoutGap:
    """Samples of silence that are due between what was heard last and what comes next.

    Speech that follows on within a group has none. That a group is over may turn out after its last
    segment was heard, so its silence counts from that end, whenever the next group comes.
    """

    def __init__(self) -> None:
        self.due_samples = 0
        """Silence that has to pass before anything else is heard."""
        self._group = ""
        """Group that may go on without a pause; empty when none may."""
        self._group_samples = 0
        """Silence between that group and another one."""
        self._passed_samples = 0
        """Silence since its last sound."""

    def end(self, group: str, samples: int, *, pause: bool) -> None:
        """Take note that a segment was heard to its end.

        Args:
            group: segments that may follow on have the same.
            samples: silence behind it, when there is one.
            pause: the next segment does not follow on, whatever its group.
        """
        self.due_samples = samples if pause else 0
        self._group = "" if pause else group
        self._group_samples, self._passed_samples = samples, 0

    def begin(self, group: str) -> None:
        """Take note that a segment of this group is the next to be heard."""
        if self._group and self._group != group:
            self.due_samples = max(0, self._group_samples - self._passed_samples)
            self._group = ""

    def take(self, most: int) -> int:
        """Let up to `most` samples of what is due pass; return their number."""
        taken = min(self.due_samples, most)
        self.due_samples -= taken
        return taken

    def wait(self, samples: int) -> None:
        """Let silence pass because nothing is there to be heard."""
        self._passed_samples += samples

    def clear(self) -> None:
        """Forget what was heard: the next segment begins at once."""
        self.due_samples, self._group = 0, ""
