"""The inputs of a trial: different, aligned, and not kept eight times."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runner.batches import ALIGNMENT, aligned, choose_step, different, load_batches
from runner.model import ModelFiles, Tensor

KINDS = 8


def prepared(folder: Path, *, count: int, width: int, batch: int) -> ModelFiles:
    """A model with so many independent rows of so many float32, each row its number."""
    rows = np.repeat(np.arange(count, dtype=np.float32)[:, None], width, axis=1)
    np.savez(folder / "inputs.npz", x=rows)
    reference = folder / "reference-0.npy"
    np.save(reference, rows[:, :1].astype(np.float64))
    tensor = Tensor("x", (batch, width), "float32")
    model = SimpleNamespace(
        data=folder,
        references=[reference],
        spec={"independent_rows": True},
        inputs=(tensor,),
        outputs=(Tensor("y", (batch, 1), "float32"),),
    )
    return cast(ModelFiles, model)


@pytest.mark.parametrize("batch", [1, 4, 8, 16, 32, 1000, 1024])
@pytest.mark.parametrize(("count", "width"), [(8, 150_528 // 64), (16, 256), (1024, 200), (8, 256)])
def test_calls_are_different_and_aligned_at_every_batch(
    tmp_path: Path, count: int, width: int, batch: int
) -> None:
    inputs, expected = load_batches(prepared(tmp_path, count=count, width=width, batch=batch), kinds=KINDS)

    assert len({call["x"][0, 0] for call in inputs}) == len(inputs) == KINDS
    for call, (answer,) in zip(inputs, expected, strict=True):
        first = int(call["x"][0, 0])
        assert (
            call["x"][:, 0].tolist()
            == answer[:, 0].tolist()
            == [(first + row) % count for row in range(batch)]
        )
        assert call["x"].ctypes.data % ALIGNMENT == 0
        assert call["x"].flags.c_contiguous


def test_references_are_in_memory_one_call_at_a_time(tmp_path: Path) -> None:
    _, references = load_batches(prepared(tmp_path, count=16, width=256, batch=4), kinds=KINDS)
    assert references.nbytes == KINDS * 4 * 8
    for read in (references, references):  # again and again
        calls = iter(read)
        first, second = next(calls), next(calls)
        assert first[0][:, 0].tolist() == [0, 1, 2, 3]
        assert second[0][:, 0].tolist() == [1, 2, 3, 4]


def test_all_calls_take_little_more_memory_than_one(tmp_path: Path) -> None:
    inputs, _ = load_batches(prepared(tmp_path, count=8, width=1024, batch=32), kinds=KINDS)

    begins = [call["x"].ctypes.data for call in inputs]

    assert max(begins) - min(begins) < inputs[0]["x"].nbytes / 4


@pytest.mark.parametrize("width", [1, 2, 77, 127, 200])
@pytest.mark.parametrize("batch", [1, 4, 16])
def test_where_too_few_rows_begin_aligned_each_call_is_a_copy(tmp_path: Path, width: int, batch: int) -> None:
    inputs, expected = load_batches(prepared(tmp_path, count=8, width=width, batch=batch), kinds=KINDS)

    for number, (call, (answer,)) in enumerate(zip(inputs, expected, strict=True)):
        rows = [(number + row) % 8 for row in range(batch)]
        assert call["x"][:, 0].tolist() == answer[:, 0].tolist() == rows
        assert call["x"].ctypes.data % ALIGNMENT == 0
        assert call["x"].flags.c_contiguous
    assert len(inputs) == KINDS


@given(st.integers(1, 1024), st.integers(1, 12), st.lists(st.integers(1, 4096), min_size=1, max_size=3))
def test_a_step_keeps_every_call_aligned(count: int, kinds: int, row_bytes: list[int]) -> None:
    step = choose_step(count, kinds, row_bytes)

    assert all(step * size % ALIGNMENT == 0 for size in row_bytes)
    assert len({call * step % count for call in range(different(count, step))}) == different(count, step)


@given(st.integers(1, 300), st.sampled_from(["float32", "int64", "uint8", "bool"]))
def test_a_copy_is_the_same_and_aligned(size: int, dtype: str) -> None:
    array = np.arange(size).astype(dtype)

    copy = aligned(array)

    assert copy.dtype == array.dtype
    assert copy.tolist() == array.tolist()
    assert copy.ctypes.data % ALIGNMENT == 0
