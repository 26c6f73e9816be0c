"""The real web server: the graph over GraphQL, and a dry run launched from it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets_tests.conftest import ROOT

pytestmark = pytest.mark.slow
Ask = Callable[..., Any]

NODES = """
{ assetNodes { assetKey { path } groupName dependencyKeys { path } } }
"""
LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""
STATUS = """
query Status($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }
"""


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Ask]:
    """A server on a free port of this machine; ends with everything that it started."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = Path(sys.executable).parent / "dagster-webserver"
    log = (tmp_path / "server.log").open("w")
    server = subprocess.Popen(
        [str(program), "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)],
        cwd=ROOT,
        env=os.environ.copy(),
        stdout=log,
        stderr=log,
        start_new_session=True,
    )

    def query(text: str, **variables: Any) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/graphql",
            json.dumps({"query": text, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            body = json.loads(answer.read())
        assert "errors" not in body, body
        return body["data"]

    try:
        for _ in range(240):
            assert server.poll() is None, (tmp_path / "server.log").read_text()
            try:
                query("{ version }")
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.25)
        yield query
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        log.close()


def test_the_graph_and_a_dry_run(ask: Ask, tmp_path: Path) -> None:
    nodes = {n["assetKey"]["path"][-1]: n for n in ask(NODES)["assetNodes"]}
    golden = json.loads(Path(__file__).with_name("graph.json").read_text())["assets"]
    assert set(nodes) == set(golden)
    for name, node in nodes.items():
        assert node["groupName"] == golden[name]["group"]
        assert sorted(k["path"][-1] for k in node["dependencyKeys"]) == golden[name]["from"]

    output = {"config": {"output_dir": str(tmp_path / "out")}}
    launched = ask(
        LAUNCH,
        params={
            "selector": {
                "repositoryLocationName": "hokusai_assets.definitions",
                "repositoryName": "__repository__",
                "pipelineName": "dry_run",
            },
            "runConfigData": {
                "resources": {"inputs": {"config": {"mode": "mock"}}, "outputs": output}
            },
        },
    )["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run_id = launched["run"]["runId"]
    status = ""
    for _ in range(240):
        status = ask(STATUS, id=run_id)["runOrError"]["status"]
        if status in {"SUCCESS", "FAILURE", "CANCELED"}:
            break
        time.sleep(0.5)
    assert status == "SUCCESS"
    attestation = json.loads((tmp_path / "out" / f"attestation_{run_id}.json").read_text())
    assert attestation["dry_run"] is True
