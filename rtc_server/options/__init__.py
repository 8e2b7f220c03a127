"""Options: dataclass fields as flags, environment variables and keys of a configuration file.

Input: parsed flags, the environment and perhaps a TOML file. Output: the sections that a caller
names, each field from the first source that gives it: flag, variable, file, default.

Read `option` first: the definition of a field, and its three spellings (``--max-sessions``,
``RTC_MAX_SESSIONS``, ``max-sessions``). `command_line` makes flags of sections, `option_text` reads
the text of a flag or variable, `options_file` reads the file, and `sources` chooses between them.
`printed_options` writes the result, or an example, as such a file.

An unknown flag, variable or key fails, so that a typing error never runs a server with settings
nobody chose. No setting of the server is defined here.
"""

from rtc_server.options.command_line import LateParser, add_config_option, add_options
from rtc_server.options.option import (
    ENV_PREFIX,
    config_key,
    flag,
    option,
    settings_fields,
    variable,
)
from rtc_server.options.options_file import OptionsFile
from rtc_server.options.printed_options import effective_file, example_file
from rtc_server.options.sources import OptionSources

__all__ = [
    "ENV_PREFIX",
    "LateParser",
    "OptionSources",
    "OptionsFile",
    "add_config_option",
    "add_options",
    "config_key",
    "effective_file",
    "example_file",
    "flag",
    "option",
    "settings_fields",
    "variable",
]
