"""The stand-in of KFP's API, which `fleet pipelines run` is tested against, held to KFP's own client."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import kfp
import pytest
from kfp_server_api.models import V2beta1Pipeline
from movie_pipelines.compile import FOLDER

from tests.kfp_api import Installation, serving


@pytest.fixture
def client() -> Iterator[kfp.Client]:
    with serving(Installation()) as url, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield kfp.Client(host=url, namespace="kubeflow")


def test_kfps_own_client_gets_along_with_it(client: kfp.Client) -> None:
    made = client.create_experiment("ada")
    assert client.create_experiment("ada").experiment_id == made.experiment_id
    pipeline = client._pipelines_api.pipeline_service_create_pipeline(V2beta1Pipeline(name="movies"))
    found = client._pipelines_api.pipeline_service_get_pipeline_by_name(name="movies")
    assert found.pipeline_id == pipeline.pipeline_id
    version = client.upload_pipeline_version(str(FOLDER / "movies.yaml"), "v1", pipeline_id=pipeline.pipeline_id)
    listed = client.list_pipeline_versions(pipeline.pipeline_id).pipeline_versions
    assert [each.pipeline_version_id for each in listed] == [version.pipeline_version_id]
    run = client.run_pipeline(
        made.experiment_id,
        "a run",
        pipeline_id=pipeline.pipeline_id,
        version_id=version.pipeline_version_id,
        params={"parallelism": 3},
    )
    assert client.get_run(run.run_id).state == "SUCCEEDED"
    with pytest.raises(Exception, match="already exist"):
        client._pipelines_api.pipeline_service_create_pipeline(V2beta1Pipeline(name="movies"))
