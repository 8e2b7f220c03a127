"""A server that runs its own engines does not load the code of the pool."""

import subprocess
import sys

CODE = """
import sys
from rtc_server.app.parts import build
from rtc_server.config import EngineSettings, Settings
build(Settings())
print(sorted(each for each in sys.modules if "remote" in each and each.startswith("rtc_server")))
build(Settings(engines=EngineSettings(ast_servers=("unix:/e",))))
print("rtc_server.engines.remote.pool" in sys.modules)
"""


def test_nothing_of_it_is_loaded_unless_it_is_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "True"]
