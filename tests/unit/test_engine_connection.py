import hashlib
import json
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException

from harness import engine_connection
from harness.engine_connection import Endpoint, connect, endpoints, open_client
from harness.errors import EngineError


@pytest.fixture
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty configuration of the docker client."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    return tmp_path


def write_context(config: Path, name: str, text: str) -> None:
    folder = config / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(text)


def context(name: str, host: str) -> str:
    return json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host}}})


def urls(environ: dict[str, str]) -> list[str]:
    return [endpoint.url for endpoint in endpoints(environ)]


def test_docker_host_is_the_only_place_when_it_is_set(docker_config: Path) -> None:
    write_context(docker_config, "far", context("far", "tcp://far:2375"))
    (endpoint,) = endpoints({"DOCKER_HOST": "tcp://here:2375", "DOCKER_CONTEXT": "far"})
    assert (endpoint.url, endpoint.named) == ("tcp://here:2375", True)


def test_certificates_that_are_not_there_are_an_error(docker_config: Path) -> None:
    words = {
        "DOCKER_HOST": "tcp://h:2376",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(docker_config / "no"),
    }
    with pytest.raises(EngineError, match="certificates cannot be used"):
        endpoints(words)


def test_the_current_context_is_the_only_place_when_there_is_one(docker_config: Path) -> None:
    write_context(docker_config, "far", context("far", "tcp://far:2375"))
    (docker_config / "config.json").write_text('{"currentContext": "far"}')
    (endpoint,) = endpoints({})
    assert (endpoint.url, endpoint.named) == ("tcp://far:2375", True)
    assert "far" in endpoint.origin


def test_docker_context_overrides_the_current_one(docker_config: Path) -> None:
    write_context(docker_config, "far", context("far", "tcp://far:2375"))
    assert urls({"DOCKER_CONTEXT": "far"}) == ["tcp://far:2375"]


def test_without_a_name_the_well_known_sockets_are_tried_the_system_s_first(docker_config: Path) -> None:
    assert docker_config.is_dir()
    found = urls({"HOME": "/home/a", "XDG_RUNTIME_DIR": "/run/user/7"})
    assert found[0] == "unix:///var/run/docker.sock"
    assert "unix:///run/user/7/docker.sock" in found
    assert "unix:///home/a/.docker/run/docker.sock" in found
    assert "unix:///home/a/.colima/default/docker.sock" in found


def test_a_context_that_does_not_exist_is_an_error(docker_config: Path) -> None:
    assert docker_config.is_dir()
    with pytest.raises(EngineError, match="gone does not exist") as caught:
        endpoints({"DOCKER_CONTEXT": "gone"})
    assert "docker context ls" in caught.value.fix


def test_a_corrupt_context_is_an_error(docker_config: Path) -> None:
    write_context(docker_config, "bad", "{")
    with pytest.raises(EngineError, match="cannot be read"):
        endpoints({"DOCKER_CONTEXT": "bad"})


def refusing(message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise DockerException(message)

    monkeypatch.setattr(docker, "DockerClient", refuse)


def test_a_missing_socket_is_not_even_tried() -> None:
    with pytest.raises(EngineError, match="No Docker engine answers") as caught:
        open_client(Endpoint(url="unix:///nowhere/docker.sock", origin="well-known socket"))
    assert "-m harness.bootstrap" in caught.value.fix


def test_a_missing_permission_is_told_from_a_missing_engine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refusing("('Connection aborted.', PermissionError(13, 'Permission denied'))", monkeypatch)
    with pytest.raises(EngineError, match="refuses this user") as caught:
        open_client(Endpoint(url=f"unix://{tmp_path}", origin="well-known socket"))
    assert "usermod -aG docker" in caught.value.fix


def test_a_named_engine_that_is_silent_says_who_named_it(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing("connection refused", monkeypatch)
    with pytest.raises(EngineError, match="DOCKER_HOST"):
        open_client(Endpoint(url="tcp://far:2375", origin="DOCKER_HOST", named=True))


def test_a_denied_socket_says_more_than_the_first_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    places = [Endpoint(url=f"unix:///{name}", origin="well-known socket") for name in "ab"]

    def refuse(endpoint: Endpoint) -> None:
        words = "refuses this user" if endpoint.url.endswith("b") else "No Docker engine answers"
        raise EngineError(words)

    monkeypatch.setattr(engine_connection, "endpoints", lambda _: places)
    monkeypatch.setattr(engine_connection, "open_client", refuse)
    with pytest.raises(EngineError, match="refuses this user"):
        connect()


def test_an_engine_over_ssh_is_refused_with_the_way_round() -> None:
    endpoint = Endpoint(url="ssh://somebody@somewhere", origin="DOCKER_HOST", named=True)
    with pytest.raises(EngineError, match="reached over ssh") as refused:
        open_client(endpoint)
    assert "ssh -NL" in refused.value.fix
