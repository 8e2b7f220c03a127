"""``deploy/ray/serve.yaml`` as Ray Serve itself reads it; no cluster is started."""

from pathlib import Path

import pytest
import yaml

# Ray's own model of the file uses what pydantic calls old.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

FILE = Path(__file__).parents[2] / "deploy" / "ray" / "serve.yaml"


def test_ray_serve_takes_its_configuration() -> None:
    from ray.serve.schema import ServeDeploySchema  # noqa: PLC0415 - in this environment alone

    service, _ = yaml.safe_load_all(FILE.read_text())
    config = yaml.safe_load(service["spec"]["serveConfigV2"])
    read = ServeDeploySchema.model_validate(config)
    assert [each.name for each in read.applications] == ["engines"]
    # A key that it does not know it would pass over.
    assert config.keys() <= ServeDeploySchema.model_fields.keys()
    known = type(read.applications[0]).model_fields
    assert all(each.keys() <= known.keys() for each in config["applications"])
    assert config["http_options"].keys() <= type(read.http_options).model_fields.keys()
