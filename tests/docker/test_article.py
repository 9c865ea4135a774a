"""Sittings of the replayed article in their real image: all five frameworks, on its first and its last rungs."""

from collections.abc import Iterator

import docker
import pytest

from harness.article.ladder import ROWS, load_ladder
from harness.article.readings import Edition
from harness.article.sitting import Desk, sit
from harness.build import build_images
from harness.catalog import load_catalog
from harness.cores import request_limits
from harness.errors import BuildError
from harness.prepare import COMMON, DATA
from harness.results import Cell
from harness.runs import Image
from harness.units import GIB
from tests.checkout import ROOT
from tests.docker.conftest import Place, prepare_place

CELL = Cell(framework="null", model="spam-fnn", cpus=1, memory_bytes=2 * GIB, batch=ROWS)


@pytest.fixture(scope="module")
def desk(client: docker.DockerClient) -> Iterator[Desk]:
    """A desk at the current versions, whose packages the other images' wheels are enough for."""
    name = Edition.CURRENT.image
    image = build_images(client, [name], frameworks=load_catalog(ROOT).frameworks, on_event=lambda _: None)[
        name
    ]
    assert not isinstance(image, BuildError)
    for place in prepare_place(client, ["null"]):
        yield desk_at(place, image)


def desk_at(place: Place, image: Image) -> Desk:
    limits = request_limits(CELL, topology=place.topology, memory_bytes=place.memory_bytes)
    mounts = place.bench.supplies.mounts(CELL)
    return Desk(
        engine=place.engine,
        ladder=load_ladder(ROOT / "images"),
        images=dict.fromkeys(Edition, image),
        mounts=tuple(mount for mount in mounts if mount.path in {COMMON, DATA}),
        requested=limits,
        threads=1,
        run_id="test-article",
        session=0,
        listener=lambda _: None,
    )


@pytest.mark.parametrize("rung", ["work", "reused", "limits"])
def test_all_five_give_the_right_answer_on_a_rung(desk: Desk, rung: str) -> None:
    chosen = next(each for each in desk.ladder.rungs if each.name == rung)

    sitting = sit(desk, Edition.CURRENT, chosen, 0)

    assert [reading.framework for reading in sitting.readings] == list(desk.ladder.frameworks)
    assert [reading.error for reading in sitting.readings] == [None] * 5
    for reading in sitting.readings:
        assert reading.latency_ms is not None
        assert 0 < reading.latency_ms < 1000
        assert reading.memory_mb is not None
        assert reading.memory_mb > 10
        assert reading.max_rel_error is not None
        assert reading.max_rel_error < 1e-5


def test_a_sitting_leaves_no_container(desk: Desk, client: docker.DockerClient) -> None:
    left = client.containers.list(all=True, filters={"label": f"edgematrix.run={desk.run_id}"})
    assert left == []
