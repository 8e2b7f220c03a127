"""Usage records: where they go."""

import base64
import re
from dataclasses import dataclass

from rtc_server.errors import ConfigError
from rtc_server.options import option
from rtc_server.options.option import hidden, hidden_path

WEBHOOK_SECRET = "whsec_"
"""Beginning of a secret, as Standard Webhooks has it."""
SHORTEST_WEBHOOK_KEY = 24


@dataclass(frozen=True, slots=True)
class UsageSettings:
    """Destinations of a record of each session and room: key, length, languages, no text."""

    usage_file: str = option(
        "", "file to which a JSON object, one a line, is written for each session and room"
    )
    usage_webhook: str = option(
        "", "URL to which each record is sent by POST, signed", mask=hidden_path
    )
    usage_webhook_secret: str = option(
        "",
        f"what signs these requests: {WEBHOOK_SECRET} and 24 bytes or more in Base64",
        mask=hidden,
    )

    def __post_init__(self) -> None:
        if bool(self.usage_webhook) != bool(self.usage_webhook_secret):
            raise ConfigError("Set --usage-webhook and --usage-webhook-secret together.")
        if not self.usage_webhook:
            return
        if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", self.usage_webhook):
            raise ConfigError(
                "--usage-webhook is not a URL. It takes such as https://billing.example/usage."
            )
        if len(self.webhook_key()) < SHORTEST_WEBHOOK_KEY:
            raise ConfigError(
                f"--usage-webhook-secret is {WEBHOOK_SECRET} and {SHORTEST_WEBHOOK_KEY} bytes or "
                f'more in Base64. `echo {WEBHOOK_SECRET}"$(openssl rand -base64 32)"` makes one.'
            )

    def webhook_key(self) -> bytes:
        """Return what signs; empty when the secret is not written as it must be."""
        try:
            text = self.usage_webhook_secret.removeprefix(WEBHOOK_SECRET)
            return base64.b64decode(text, validate=True)
        except ValueError:
            return b""
