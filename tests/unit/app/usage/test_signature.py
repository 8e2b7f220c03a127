"""Signatures that any library for Standard Webhooks verifies."""

from rtc_server.app.usage.usage_outbox import Outgoing
from rtc_server.app.usage.webhook import signature
from rtc_server.config import UsageSettings


def test_the_example_of_the_specification() -> None:
    settings = UsageSettings(
        usage_webhook="https://billing.example",
        usage_webhook_secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )
    record = Outgoing("msg_p5jXN8AQM9LWM0D4loKWxJek", '{"test": 2432232314}')
    signed = signature(settings.webhook_key(), record, "1614265330")
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
