"""Key that all workers sign with, where no ``--secret-key-file`` names one."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from rtc_server.signaling.secret_signer import KEY_BYTES


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of this run, and the file from which a worker reads it at its start."""

    path: Path
    _text: str = field(default_factory=lambda: secrets.token_hex(KEY_BYTES), repr=False)

    def write(self) -> None:
        """Write the file anew, for its owner alone. Raises `OSError`.

        It lies among temporary files, which many systems remove after some days.
        """
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        # Another worker may be reading it: it sees the whole file or the one before.
        new = self.path.with_name(f"{self.path.name}.new")
        new.touch(0o600)
        new.write_text(self._text)
        new.replace(self.path)
