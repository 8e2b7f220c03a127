"""Description of the engine, imported in the server's process: nothing heavy here."""

from rtc_server.engines.contract import EnginePlugin, PluginOption

ENGINE = EnginePlugin(
    contract=1,
    kind="ast",
    title="Stopwatch: how long somebody spoke",
    licence="Apache-2.0",
    languages=("en", "ru"),
    create="rtc_stopwatch.engine:create",
    options=(
        PluginOption(
            name="stopwatch_unit",  # --stopwatch-unit, RTC_STOPWATCH_UNIT, stopwatch-unit
            default="seconds",
            choices=("seconds", "minutes"),
            help="unit that the stopwatch counts in",
        ),
    ),
)
