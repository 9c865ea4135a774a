"""Compile a PyTorch module ahead of time, with AOTInductor: one shared library, which needs no compiler to be loaded.

The library is made for the processor that this runs on, for inputs of exactly these shapes, and best for one number of
threads: only then does Inductor know which loops are too small to be shared out. Inductor looks for the widest
instruction set by compiling and loading a program for each, so its scratch folder must be where programs may be
executed: beside the result, as a container's /tmp may not be such a place.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from typing import TYPE_CHECKING

import torch
from torch._inductor import aoti_compile_and_package, cpu_vec_isa

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = {
    "freezing": True,  # weights are constants, so that batch norms fold into convolutions
    # Left as they are: AOTInductor cannot keep oneDNN's own layout, and a packed operator without it packs at every
    # call (docs/images.md has the figures).
    "cpp.weight_prepack": False,
    "aot_inductor.precompile_headers": False,  # worth it for many modules, and asks for openssl
}


def compile_ahead(
    module: torch.nn.Module, inputs: tuple[torch.Tensor, ...], out: Path, *, threads: int | None
) -> None:
    """Compile a module with its weights.

    Args:
        module: in evaluation mode.
        inputs: of the shapes and dtypes of every later call, in the module's order.
        out: gets `compiled.so` and `compiled.json`, which says for what it is; programs may be executed there.
        threads: of every later call; `None` for any number, with every loop shared out, however small.
    """
    options = OPTIONS | ({"cpp.dynamic_threads": True} if threads is None else {"cpp.threads": threads})
    with tempfile.TemporaryDirectory(dir=out) as scratch:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = os.environ["TMPDIR"] = tempfile.tempdir = scratch
        try:
            with torch.no_grad():
                program = torch.export.export(module, inputs)
                package = aoti_compile_and_package(
                    program, package_path=f"{scratch}/model.pt2", inductor_configs=dict(options)
                )
        finally:
            tempfile.tempdir = None
        with zipfile.ZipFile(package) as archive:
            (library,) = (name for name in archive.namelist() if name.endswith(".so"))
            with archive.open(library) as packed, (out / "compiled.so").open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
        facts = {"instruction_set": str(cpu_vec_isa.pick_vec_isa()), "threads": threads, "options": options}
    (out / "compiled.json").write_text(json.dumps(facts), encoding="utf-8")
