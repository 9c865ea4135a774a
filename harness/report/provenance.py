"""Where the figures come from: host, engine, images, models, matrix, and how it was measured in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import yaml

from harness.report.formats import NAME_LIMIT, UNKNOWN, clip, core_list, distinct, mebibytes, moment, share
from harness.stats.intervals import CONFIDENCE
from harness.stats.samples import SAMPLES_NEEDED
from harness.units import counted, format_duration, format_memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.report.book import Book
    from harness.report.grouping import Workload
    from harness.runs import Framework, Model, Protocol, Run

CAP_NOTE: Final = "A cap limits quantity, not core speed"
PACKAGE_LIMIT: Final = 100
REFERENCE_LIMIT: Final = 2
"""Ways to compute a reference that are named; the table of models has that of each."""

Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ImageView:
    """One image, a framework's or a helper's."""

    name: str
    slot: int | None
    """`None` for a helper."""
    variant: str
    """What it is a variant of, and how it differs; empty for what is none."""
    version: str
    tag: str
    digest: str
    size: str
    base: str
    packages: str


@dataclass(frozen=True)
class ModelView:
    """One model as prepared."""

    name: str
    title: str
    parameters: str
    size: str
    task: str
    reference: str
    tolerance: str
    worst_error: str
    hash: str


@dataclass(frozen=True)
class Method:
    """The protocol's values, for the plain words around them in the template."""

    trials: str
    seed: str
    cold: bool
    warmup: str
    budget: str
    min_calls: str
    max_calls: str
    timeout: str
    confidence: str
    samples_needed: tuple[tuple[str, str], ...]
    references: str
    """What computed those that outputs are checked against."""


def host_line(run: Run) -> str:
    """The host in one line."""
    host = run.host
    return (
        f"{clip(host.cpu_model, NAME_LIMIT)}, {counted(host.physical_cores, 'core')}, "
        f"{format_memory(host.memory_bytes)}, {clip(host.architecture, NAME_LIMIT)}, "
        f"Docker {clip(host.engine_version, NAME_LIMIT)}, cgroup v{host.cgroup_version}"
    )


def host_facts(run: Run) -> Facts:
    """The host, fact by fact."""
    host = run.host
    return (
        ("processor", clip(host.cpu_model)),
        ("architecture", clip(host.architecture)),
        ("cores", f"{host.physical_cores} physical, logical {core_list(host.logical_cpus)}"),
        ("sibling threads", "on" if host.smt else "off"),
        ("instruction sets", clip(", ".join(host.cpu_flags)) or UNKNOWN),
        ("governor", clip(host.governor) if host.governor else "not shown by this host"),
        ("memory", format_memory(host.memory_bytes)),
        ("kernel", clip(host.kernel)),
        ("cgroup", f"v{host.cgroup_version}"),
        ("engine", f"Docker {clip(host.engine_version)} on {clip(host.engine_os)}"),
        ("storage driver", clip(host.storage_driver)),
        ("fingerprint", clip(host.fingerprint)),
    )


def run_facts(run: Run) -> Facts:
    """The run, fact by fact."""
    dirty = " with uncommitted changes" if run.git_dirty else ""
    return (
        ("run", clip(run.run_id)),
        ("state", run.state.value),
        ("started", moment(run.started_at)),
        ("finished", moment(run.finished_at)),
        ("time spent measuring", f"{format_duration(run.run_s)}{in_sessions(run)}"),
        ("edgematrix", clip(run.harness_version)),
        ("commit", f"{clip(run.git_commit)}{dirty}" if run.git_commit else UNKNOWN),
        ("plan", clip(run.plan_hash)),
    )


def in_sessions(run: Run) -> str:
    """In how many sessions a run measured, where there is time between them."""
    return f" in {run.sessions} sessions" if run.sessions is not None and run.sessions > 1 else ""


def images(book: Book, workloads: Iterable[Workload]) -> tuple[ImageView, ...]:
    """Every image, with the version that its framework reported and the ids that really ran."""
    versions: dict[str, list[str]] = {}
    digests: dict[str, list[str]] = {}
    for each in (each for workload in workloads for each in workload.cells):
        framework = each.result.cell.framework
        versions.setdefault(framework, []).extend(filter(None, [each.stats.framework_version]))
        digests.setdefault(framework, []).extend(trial.image_id for trial in each.result.trials)
    return tuple(
        ImageView(
            name=clip(name, NAME_LIMIT),
            slot=book.slots.get(name),
            variant=clip(variant(name, book.run.frameworks.get(name))),
            version=clip(distinct(versions.get(name, ()))),
            tag=clip(image.tag),
            digest=clip(distinct(digests.get(name) or [image.id])),
            size=mebibytes(image.size_bytes),
            base=clip(image.base),
            packages=", ".join(
                f"{clip(package, NAME_LIMIT)} {clip(version, NAME_LIMIT)}"
                for package, version in list(image.packages.items())[:PACKAGE_LIMIT]
            ),
        )
        for name, image in book.run.images.items()
    )


def variant(name: str, framework: Framework | None) -> str:
    """What a framework's name in the matrix stands for, where that is not the framework of this name."""
    if framework is None or framework.extends == name:
        return ""
    params = (f"{key} {str(value).lower()}" for key, value in framework.params.items())
    told = ", ".join([*([f"version {framework.version}"] if framework.version else []), *params])
    return f"{framework.extends}: {told}" if told else framework.extends


def models(prepared: Mapping[str, Model], workloads: Iterable[Workload]) -> tuple[ModelView, ...]:
    """Every model that was prepared, with the largest error that any cell's output showed."""
    errors: dict[str, list[float]] = {}
    for each in (each for workload in workloads for each in workload.cells):
        if each.stats.max_rel_error is not None:
            errors.setdefault(each.result.cell.model, []).append(each.stats.max_rel_error)
    return tuple(
        ModelView(
            name=clip(name, NAME_LIMIT),
            title=clip(model.title),
            parameters=f"{model.parameters:,}",
            size=mebibytes(model.size_bytes),
            task="best class compared" if model.task == "classification" else "",
            reference=clip(model.reference),
            tolerance=f"{model.tolerance:.3g}",
            worst_error=f"{max(errors[name]):.3g}" if name in errors else UNKNOWN,
            hash=clip(model.hash),
        )
        for name, model in prepared.items()
    )


def method(run: Run, models: Iterable[Model]) -> Method:
    """How these models of a run were measured."""
    protocol = run.protocol
    return Method(
        trials=_trials(protocol),
        seed=str(protocol.seed),
        cold=protocol.page_cache == "cold",
        warmup=format_duration(protocol.warmup_s),
        budget=format_duration(protocol.budget_s),
        min_calls=f"{protocol.min_iterations:,}",
        max_calls=f"{protocol.max_iterations:,}",
        timeout=format_duration(protocol.timeout_s),
        confidence=f"{100 * CONFIDENCE:g} %",
        samples_needed=tuple(
            (f"p{percent}", str(count)) for percent, count in SAMPLES_NEEDED.items() if count > 1
        ),
        references=_references(models),
    )


def _references(models: Iterable[Model]) -> str:
    """What computed the references, in words."""
    told = list(dict.fromkeys(clip(model.reference) for model in models if model.reference))
    if len(told) > REFERENCE_LIMIT:
        told[REFERENCE_LIMIT:] = ["what else the table of models names"]
    return f"a reference computed by {'; or by '.join(told)}" if told else "the reference of its model"


def _trials(protocol: Protocol) -> str:
    """How many trials a cell has, and what ends them."""
    if protocol.precision is None:
        return counted(protocol.trials, "trial")
    spent = (
        ""
        if protocol.max_time_s is None
        else f", or {format_duration(protocol.max_time_s)} of measuring are over"
    )
    return (
        f"at least {counted(protocol.trials, 'trial')} and at most {protocol.max_trials}, until its interval is within "
        f"± {share(protocol.precision)}{spent}"
    )


def matrix_text(run: Run) -> str:
    """The matrix as resolved, every default written out."""
    return str(yaml.safe_dump(run.matrix, sort_keys=False, allow_unicode=True, width=100))
