"""TensorFlow: one concrete function with a fixed signature, traced from the Keras model or out of a SavedModel."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.model import ModelFiles


class Adapter:
    """Drives TensorFlow on the CPU.

    Args:
        threads: size of the intra-op pool; `None` leaves it to TensorFlow.
        params: `xla`: compile the traced function with XLA. `onednn` is in the environment already.
    """

    def __init__(self, *, threads: int | None, params: dict[str, Any]) -> None:
        self._xla = params["xla"]
        if threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)

    def load(self, model: ModelFiles) -> None:
        """Load the Keras model, or the converted one."""
        self._inputs = [tensor.name for tensor in model.inputs]
        self._signature = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in model.inputs]
        self._defined = model.has_definition("tensorflow")
        if self._defined:
            architecture = (model.native / "model.json").read_text(encoding="utf-8")
            self._model = keras.models.model_from_json(architecture)
            # One by one, so that never more than one of them is held beside its variable.
            for variable, path in zip(self._model.weights, sorted(model.native.glob("*.npy")), strict=True):
                variable.assign(np.load(path, mmap_mode="r"))
        else:
            self._model = tf.saved_model.load(str(model.native / "saved_model"))

    def compile(self) -> None:
        """Trace the model once; calling the concrete function itself skips the look-up among traces."""

        def call(*tensors: tf.Tensor) -> list[tf.Tensor]:
            if not self._defined:
                return self._model.call(*tensors)
            named = dict(zip(self._inputs, tensors, strict=True))
            return tf.nest.flatten(self._model(named, training=False))

        self._call = tf.function(
            call, input_signature=self._signature, jit_compile=self._xla or None
        ).get_concrete_function()

    def run(self, inputs: dict[str, np.ndarray]) -> Sequence[np.ndarray]:
        """Run one inference; TensorFlow copies on the way in and out."""
        outputs = self._call(*[tf.constant(inputs[name]) for name in self._inputs])
        return [output.numpy() for output in outputs]

    def to_native(self, inputs: dict[str, np.ndarray]) -> list[tf.Tensor]:
        """Copy the inputs into tensors."""
        return [tf.constant(inputs[name]) for name in self._inputs]

    def infer(self, native: list[tf.Tensor]) -> list[tf.Tensor]:
        """Run one inference on tensors; eager execution is synchronous on a CPU."""
        return self._call(*native)

    def describe(self) -> dict[str, Any]:
        """Tell the versions and the threads."""
        return {
            "version": tf.__version__,
            "threads": tf.config.threading.get_intra_op_parallelism_threads() or None,  # 0: its own choice
            "settings": {
                "keras": keras.__version__,
                "inter_op_threads": str(tf.config.threading.get_inter_op_parallelism_threads()),
                "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
                "xla": "on" if self._xla else "off",
            },
        }
