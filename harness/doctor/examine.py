"""The edge: ask the engine and the host, start the small containers, and have everything judged."""

from __future__ import annotations

import json
import os
import secrets
import time
from typing import TYPE_CHECKING, Final

from harness.build import build_images
from harness.catalog import load_frameworks
from harness.container import LABEL_RUN, ContainerSpec
from harness.cores import best_kind, request_limits
from harness.deadline import Deadline
from harness.doctor import engine as judge
from harness.doctor import machine, quiet
from harness.doctor.diagnosis import Diagnosis
from harness.doctor.noise import PROBES, check_noise, describe_noise
from harness.doctor.render import anonymized, own_names
from harness.engine import Engine, refuse_if_held
from harness.engine_connection import connect, endpoints
from harness.errors import BuildError, EdgematrixError
from harness.events import Step
from harness.places import PLACES
from harness.records import Limits, first
from harness.reference import run_reference
from harness.results import NULL_FRAMEWORK, Cell, CpuMode
from harness.session import hold_engine
from harness.supplies import step_listener
from harness.trial import Transcript
from harness.units import MIB

if TYPE_CHECKING:
    import docker

    from harness.doctor.checks import Check
    from harness.doctor.noise import Noise
    from harness.events import Listener
    from harness.host import ProbeFacts
    from harness.results import ReferenceProbe, Requested
    from harness.runs import Image

CAP_BYTES: Final = 256 * MIB
PROOF_S: Final = 30.0
PAUSE_S: Final = 1.0
"""For which this project does nothing, to see what others do."""
MACHINE: Final = (
    machine.check_machine,
    machine.check_cores,
    machine.check_siblings,
    machine.check_kinds,
    machine.check_nodes,
    machine.check_memory,
    machine.check_disk,
    machine.check_governor,
    machine.check_turbo,
    machine.check_clock,
)


def examine(*, quick: bool, listener: Listener) -> Diagnosis:
    """Examine the host on which the engine runs.

    What keeps the examination from going on ends it, and is its last check.

    Args:
        quick: leave the noise out.
        listener: told of the progress.
    """
    examination = Examination(listener)
    try:
        examination.go_through(quick=quick)
    except EdgematrixError as error:
        examination.checks.append(judge.check_trouble(error))
    names = own_names()
    checks = tuple(anonymized(check, names) for check in examination.checks)
    return Diagnosis(checks=checks, noise=tuple(examination.noise))


class Examination:
    """Looks at one engine and its host, and keeps what was found so far.

    Args:
        listener: told of the progress.
    """

    def __init__(self, listener: Listener) -> None:
        self.checks: list[Check] = []
        self.noise: list[Noise] = []
        self._listener = listener
        self._run_id = f"doctor-{secrets.token_hex(4)}"
        self._containers = 0

    def go_through(self, *, quick: bool) -> None:
        """Make every check, or fail at the first thing that forbids the others.

        Raises:
            EdgematrixError: no engine, another harness on it, or no images.
        """
        client = connect()
        engine = Engine(client, purpose="edgematrix doctor")
        info = engine.info()
        self.checks.append(judge.check_engine(info, endpoints(os.environ)[0].origin))
        self.checks.append(judge.check_cgroup(info))
        self.checks.append(quiet.check_neighbours(engine.neighbours()))
        refuse_if_held(client)  # a build takes all cores
        images = have_images(client, quick=quick, listener=self._listener)
        with hold_engine(engine, images["probe"]) as survey:
            before = survey()
            time.sleep(PAUSE_S)
            after = survey()
            enforced = self._prove(engine, images["probe"], before)
            self._look(before, after)
            series: dict[str, list[ReferenceProbe]] = {}
            last = after
            if enforced and not quick:
                series = self._probe(engine, images[NULL_FRAMEWORK], before)
                last = survey()
                steal = quiet.check_steal(after.conditions, last.conditions)
                self.checks.append(steal)
            self.checks.append(quiet.check_heat(before.conditions, last.conditions))
            self._judge_noise(series)

    def _prove(self, engine: Engine, image: Image, facts: ProbeFacts) -> bool:
        """Read limits back from inside a container.

        Returns:
            Whether those hold that every cell needs.
        """
        proof = self._proof(engine, image, limits_of(facts, 1, CpuMode.CPUSET))
        quota = self._proof(engine, image, limits_of(facts, 0.5, CpuMode.QUOTA))
        self.checks += [
            judge.check_limits(proof),
            judge.check_quota(quota),
            judge.check_swap(facts.swap_bytes, proof.limits),
        ]
        return not proof.mismatch

    def _proof(self, engine: Engine, image: Image, requested: Requested) -> judge.Proof:
        """Start a trial's supervisor under some limits. The image has no adapter, so that nothing is measured."""
        deadline = Deadline(PROOF_S)
        transcript = Transcript("doctor", lambda _: None, deadline)
        spec = ContainerSpec(
            image=image.id,
            name=f"edgematrix-{self._run_id}-limits-{requested.cpu_mode}",
            labels={LABEL_RUN: self._run_id},
            module="runner",
            limits=requested,
        )
        job = {"page_cache": "warm", "memory_bytes": requested.memory_bytes, "budget_s": 0, "env": {}}
        stdin = json.dumps(job).encode() + b"\n"
        outcome = engine.run(spec, stdin=stdin, on_line=transcript.feed, deadline=deadline)
        return judge.Proof(
            requested=requested,
            limits=first(transcript.records, Limits),
            trouble=outcome.error or transcript.bad_line or "",
        )

    def _look(self, before: ProbeFacts, after: ProbeFacts) -> None:
        """Judge what the host says of itself."""
        self.checks += [check(before) for check in MACHINE]
        cpus = len(before.topology)
        self.checks.append(quiet.check_load(before.conditions, after.conditions, cpus))
        self.checks.append(quiet.check_pressure(before.conditions, after.conditions))

    def _probe(self, engine: Engine, image: Image, facts: ProbeFacts) -> dict[str, list[ReferenceProbe]]:
        """Run the reference probe on each cell's CPUs in turn.

        Returns:
            By cell, the probes that ended well.
        """
        places = places_of(facts)
        total = PROBES * len(places)
        self._listener(Step(subject="noise", text=f"{total} reference probes, some {total * 2} s"))
        series: dict[str, list[ReferenceProbe]] = {cell: [] for cell in places}
        for number, (cell, requested) in enumerate(list(places.items()) * PROBES):
            text = f"probe {number + 1} of {total}"
            self._listener(Step(subject="noise", text=text, done=number / total))
            found = run_reference(
                engine, image, requested, run_id=self._run_id, number=number, on_tick=lambda: None
            )
            if found is not None:
                series[cell].append(found)
        self._listener(Step(subject="noise", text=f"{total} probes have run", done=1.0))
        return series

    def _judge_noise(self, series: dict[str, list[ReferenceProbe]]) -> None:
        """Judge the probes."""
        for cell, probes in series.items():
            figures = describe_noise(cell, probes)
            self.noise += figures
            self.checks.append(check_noise(cell, figures))


def have_images(client: docker.DockerClient, *, quick: bool, listener: Listener) -> dict[str, Image]:
    """Have the small images that the examination needs, built where they are missing.

    Raises:
        BuildError: one could not be.
    """
    names = ("probe",) if quick else ("probe", NULL_FRAMEWORK)
    built = build_images(
        client, names, frameworks=load_frameworks(PLACES.images), on_event=step_listener(listener)
    )
    images = {}
    for name, image in built.items():
        if isinstance(image, BuildError):
            raise image
        images[name] = image
    return images


def limits_of(facts: ProbeFacts, cpus: float, mode: CpuMode) -> Requested:
    """What a cell of so many CPUs asks of the engine on this host."""
    cell = Cell(
        framework=NULL_FRAMEWORK, model="none", cpus=cpus, cpu_mode=mode, memory_bytes=CAP_BYTES, batch=1
    )
    return request_limits(cell, topology=facts.topology, memory_bytes=facts.memory_bytes)


def places_of(facts: ProbeFacts) -> dict[str, Requested]:
    """The CPUs to probe: those of a cell of one core, and those of a cell of all cores that are alike."""
    kind = best_kind(facts.topology)
    cores = {(entry.socket, entry.core) for entry in facts.topology if entry.kind == kind}
    places = {"1 core": limits_of(facts, 1, CpuMode.CPUSET)}
    if len(cores) > 1:
        places[f"all {len(cores)} cores"] = limits_of(facts, len(cores), CpuMode.CPUSET)
    return places
