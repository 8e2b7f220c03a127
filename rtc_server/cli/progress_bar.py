"""Progress of a transfer on stderr: a bar on a terminal, elsewhere a line each tenth."""

import sys
import time

_WIDTH = 24
_BETWEEN_UPDATES_S = 0.2


class ProgressBar:
    """Progress of one file."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._terminal = sys.stderr.isatty()
        self._shown_at = 0.0
        self._tenths = -1

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *_: object) -> None:
        if self._terminal and self._shown_at:
            print(file=sys.stderr)

    def show(self, there: int, total: int | None) -> None:
        """Show `there` of `total` bytes; called with each piece."""
        now = time.monotonic()
        done = there == total
        if self._terminal:
            if done or now - self._shown_at >= _BETWEEN_UPDATES_S:
                self._shown_at = now
                print(f"\r{self._line(there, total)}", end="", file=sys.stderr, flush=True)
            return
        tenths = 10 * there // total if total else there // 10**8
        if tenths != self._tenths:
            self._tenths = tenths
            print(self._line(there, total), file=sys.stderr)

    def _line(self, there: int, total: int | None) -> str:
        if not total:
            return f"{self._name}  {there / 1e6:.1f} MB"
        filled = _WIDTH * there // total
        bar = "█" * filled + "░" * (_WIDTH - filled)
        return f"{self._name}  {bar} {there / 1e6:.1f} of {total / 1e6:.1f} MB"
