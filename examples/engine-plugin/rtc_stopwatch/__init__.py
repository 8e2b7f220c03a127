"""Description of the engine, imported in the server's process: nothing heavy here."""

from rtc_server.engines.contract import EnginePlugin

ENGINE = EnginePlugin(
    contract=1,
    kind="ast",
    title="Stopwatch: how long somebody spoke",
    licence="Apache-2.0",
    languages=("en", "ru"),
    create="rtc_stopwatch.engine:create",
)
