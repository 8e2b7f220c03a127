"""Models of a set that the chosen engines load."""

from rtc_server import catalog
from rtc_server.app.needed_models import needed_models
from rtc_server.config import EngineSettings


def test_models_that_the_operator_named_are_not_asked_for() -> None:
    def kinds(chosen: EngineSettings) -> list[str]:
        return list(dict.fromkeys(model.kind for model in needed_models(chosen)))

    assert kinds(EngineSettings(engines="gpu")) == ["canary", "silero"]
    assert kinds(EngineSettings(engines="gpu", tts="espeak")) == ["canary"]
    assert kinds(EngineSettings(engines="gpu", ast="my.engine:create")) == ["silero"]
    assert kinds(EngineSettings(engines="gpu", canary_model="/a.nemo")) == ["silero"]
    assert kinds(EngineSettings(engines="gpu", silero_models=("v3_de",))) == ["canary"]
    assert kinds(EngineSettings(ast="canary", tts="silero")) == []
    assert kinds(EngineSettings()) == []


def test_every_set_of_models_is_one_of_engines_that_load_all_of_it() -> None:
    for each in catalog.model_sets():
        assert needed_models(EngineSettings(engines=each.id)) == each.models


def test_engine_servers_have_models_of_their_own() -> None:
    here = EngineSettings(engines="gpu")
    remote = EngineSettings(engines="gpu", ast_servers=("unix:/e",), tts_servers=("unix:/e",))
    voice = EngineSettings(engines="gpu", ast_servers=("unix:/e",))
    assert needed_models(here) and not needed_models(remote)
    assert {each.kind for each in needed_models(voice)} == {"silero"}
