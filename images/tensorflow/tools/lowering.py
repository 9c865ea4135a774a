"""PyTorch's core operators in TensorFlow's, for tensors of known shapes.

TensorFlow convolves and pools on a CPU with the channels last. What such an operator returns stays that way, through
everything that works element by element, until something asks for the other order.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import tensorflow as tf
import torch
from core_graph import kernel_axes, where
from onnx_graph import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DTYPES = {
    torch.bool: tf.bool, torch.uint8: tf.uint8, torch.int8: tf.int8, torch.int16: tf.int16, torch.int32: tf.int32,
    torch.int64: tf.int64, torch.float16: tf.float16, torch.float32: tf.float32, torch.float64: tf.float64,
}  # fmt: skip


class Value:
    """A tensor in PyTorch's order of dimensions, or with the channels last, or in both.

    Args:
        first: as PyTorch has it.
        last: with the channels (the second dimension) last.
        kernel: only this, for the weights of a convolution: (spatial..., in, out).
    """

    def __init__(
        self, first: tf.Tensor | None = None, last: tf.Tensor | None = None, kernel: tf.Tensor | None = None
    ) -> None:
        self._first, self._last, self._kernel = first, last, kernel

    @property
    def is_last(self) -> bool:
        """Whether it was computed with the channels last."""
        return self._last is not None

    def first(self) -> tf.Tensor:
        """The tensor in PyTorch's order."""
        if self._first is None:
            rank = self._last.shape.rank
            self._first = tf.transpose(self._last, [0, rank - 1, *range(1, rank - 1)])
        return self._first

    def last(self) -> tf.Tensor:
        """The tensor with the channels last."""
        if self._last is None:
            rank = self._first.shape.rank
            self._last = tf.transpose(self._first, [0, *range(2, rank), 1])
        return self._last

    def kernel(self) -> tf.Tensor:
        """The tensor as TensorFlow wants the weights of a convolution."""
        return (
            tf.transpose(self._first, kernel_axes(self._first.shape.rank))
            if self._kernel is None
            else self._kernel
        )


class Lowering(torch.fx.Interpreter):
    """Runs a core graph on TensorFlow's tensors; every value in it is a `Value`."""

    def __init__(self, module: torch.fx.GraphModule) -> None:
        super().__init__(module)
        self.extra_traceback = False  # what fails is told by `run_node`

    def run_node(self, n: torch.fx.Node) -> Any:
        """Run one operator.

        Raises:
            NotImplementedError: it is not in the tables below, or not in this form.
        """
        if n.op != "call_function":
            return super().run_node(n)
        args, kwargs = self.fetch_args_kwargs_from_env(n)
        if n.target is operator.getitem:
            return args[0][args[1]]
        name = n.target.overloadpacket.__name__
        try:
            if name in ELEMENTWISE:
                return elementwise(ELEMENTWISE[name], n, args, kwargs)
            if name in CHANNELS:
                return CHANNELS[name](n, *args, **kwargs)
            return wrap(OTHERS[name](n, *plain(args), **plain(kwargs)))
        except KeyError as error:
            raise NotImplementedError(f"{where(n)}: no form in TensorFlow is known") from error
        except Exception as error:
            raise NotImplementedError(f"{where(n)}: {reason(error)}") from error


def plain(argument: Any) -> Any:
    """Arguments with tensors in PyTorch's order for the values."""
    return torch.fx.node.map_aggregate(
        argument, lambda part: part.first() if isinstance(part, Value) else part
    )


def wrap(result: Any) -> Any:
    """A value, or a list of them, of a result."""
    return [Value(part) for part in result] if isinstance(result, list | tuple) else Value(result)


def meta(node: torch.fx.Node) -> torch.Tensor:
    """What PyTorch knows of a result: its shape and dtype."""
    return node.meta["val"]


def elementwise(
    function: Callable[..., tf.Tensor], node: torch.fx.Node, args: Sequence[Any], kwargs: dict[str, Any]
) -> Value:
    """Apply a function of every element, in the order of dimensions and the dtype that its operands call for."""
    values = [argument for argument in args if isinstance(argument, Value)]
    last = any(value.is_last for value in values) and all(
        value.is_last or value.first().shape.rank in {0, 4} for value in values
    )
    result_dtype = meta(node).dtype
    dtype = operand_dtype(node) if result_dtype is torch.bool else result_dtype

    def operand(index: int, argument: Any) -> Any:
        if isinstance(argument, Value):
            tensor = (
                argument.last()
                if last and (argument.is_last or argument.first().shape.rank)
                else argument.first()
            )
            return tensor if is_condition(node, index) else cast(tensor, dtype)
        number = isinstance(argument, int | float)
        return tf.constant(argument, DTYPES[dtype]) if number else argument

    result = cast(function(*[operand(*pair) for pair in enumerate(args)], **kwargs), result_dtype)
    return Value(last=result) if last else Value(result)


def is_condition(node: torch.fx.Node, index: int) -> bool:
    """Whether an operand is the condition of a choice, which keeps its dtype."""
    return index == 0 and node.target.overloadpacket.__name__ == "where"


def operand_dtype(node: torch.fx.Node) -> torch.dtype:
    """The dtype in which operands are compared."""
    kinds = [meta(part) if isinstance(part, torch.fx.Node) else part for part in node.args[:2]]
    return torch.result_type(*kinds) if len(kinds) == 2 else kinds[0].dtype


def cast(tensor: tf.Tensor, dtype: torch.dtype) -> tf.Tensor:
    """The tensor in this dtype."""
    return tensor if tensor.dtype == DTYPES[dtype] else tf.cast(tensor, DTYPES[dtype])


# Element by element. TensorFlow's functions broadcast as PyTorch's do.


def scaled(function: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
    """An addition or subtraction whose second operand may have a factor."""
    return lambda x, y, alpha=1: function(x, y if alpha == 1 else y * tf.cast(alpha, y.dtype))


def divide(x: tf.Tensor, y: tf.Tensor, rounding_mode: str | None = None) -> tf.Tensor:
    """Divide, and round the quotient if told."""
    if rounding_mode == "floor":
        return tf.math.floordiv(x, y)
    if rounding_mode == "trunc":
        return (
            tf.math.truncatediv(x, y) if x.dtype.is_integer else tf.math.sign(x / y) * tf.floor(tf.abs(x / y))
        )
    return x / y


def clamp(x: tf.Tensor, low: Any = None, high: Any = None, **bounds: Any) -> tf.Tensor:
    """Limit to a range, of which either end may be open."""
    low, high = bounds.get("min", low), bounds.get("max", high)
    x = x if low is None else tf.maximum(x, tf.cast(low, x.dtype))
    return x if high is None else tf.minimum(x, tf.cast(high, x.dtype))


def elu(x: tf.Tensor, alpha: Any = 1.0, scale: Any = 1.0, input_scale: Any = 1.0) -> tf.Tensor:
    """Exponential below zero; also what SELU and CELU are made of."""
    return tf.where(x > 0, x * scale, alpha * scale * tf.math.expm1(x * input_scale))


ELEMENTWISE: dict[str, Callable[..., tf.Tensor]] = {
    "abs": tf.abs, "acos": tf.acos, "acosh": tf.acosh, "add": scaled(tf.add), "alias": tf.identity, "asin": tf.asin,
    "asinh": tf.asinh, "atan": tf.atan, "atan2": tf.atan2, "atanh": tf.atanh, "bitwise_and": tf.bitwise.bitwise_and,
    "ceil": tf.math.ceil, "clamp": clamp, "clone": lambda x, **_: x, "cos": tf.cos, "cosh": tf.cosh,
    "detach": tf.identity, "div": divide, "elu": elu, "eq": tf.equal, "erf": tf.math.erf, "exp": tf.exp,
    "expm1": tf.math.expm1, "floor": tf.floor, "ge": tf.greater_equal,
    "fmod": lambda x, y: x - y * divide(x, y, "trunc"),
    "gelu": lambda x, approximate="none": tf.nn.gelu(x, approximate == "tanh"), "gt": tf.greater,
    "hardtanh": clamp, "isinf": tf.math.is_inf, "isnan": tf.math.is_nan, "le": tf.less_equal,
    "leaky_relu": lambda x, slope=0.01: tf.nn.leaky_relu(x, slope), "log": tf.math.log, "log1p": tf.math.log1p,
    "logical_and": tf.logical_and, "logical_not": tf.logical_not, "logical_or": tf.logical_or,
    "logical_xor": tf.math.logical_xor, "lt": tf.less, "maximum": tf.maximum, "minimum": tf.minimum,
    "mul": tf.multiply, "ne": tf.not_equal, "neg": tf.negative, "pow": tf.pow,
    "reciprocal": tf.math.reciprocal, "relu": tf.nn.relu, "remainder": tf.math.floormod, "round": tf.round,
    "rsqrt": tf.math.rsqrt, "sigmoid": tf.sigmoid, "sign": tf.sign, "sin": tf.sin, "sinh": tf.sinh, "sqrt": tf.sqrt,
    "sub": scaled(tf.subtract), "tan": tf.tan, "tanh": tf.tanh, "_to_copy": lambda x, **_: x, "where": tf.where,
}  # fmt: skip
"""By ATen name, functions of operands that already have the dtype of the result, or of a comparison."""


# With the channels last.


def pairs(value: Sequence[int] | int, count: int) -> list[int]:
    """One number for each spatial dimension, where PyTorch also takes one for all."""
    values = list(value) if isinstance(value, list | tuple) else [value]
    return values * count if len(values) == 1 else values


def padded(x: tf.Tensor, padding: Sequence[int], value: float = 0.0) -> tf.Tensor:
    """Pad the spatial dimensions of a tensor with the channels last."""
    if not any(padding):
        return x
    return tf.pad(
        x, [[0, 0], *([pad, pad] for pad in padding), [0, 0]], constant_values=tf.cast(value, x.dtype)
    )


def convolution(
    node: torch.fx.Node, x: Value, weight: Value, bias: Value | None, stride: Any, padding: Any, dilation: Any,
    transposed: bool, output_padding: Any, groups: int,
) -> Value:  # fmt: skip
    """Convolve, in groups or transposed where told."""
    data, count, kernel = x.last(), len(stride), weight.kernel()
    if transposed:
        if groups != 1 or any(output_padding) or any(step != 1 for step in dilation):
            raise NotImplementedError("transposed with groups, output padding or dilation")
        shape = meta(node).shape
        whole = [size + 2 * pad for size, pad in zip(shape[2:], padding, strict=True)]
        out = tf.nn.conv_transpose(data, kernel, [shape[0], *whole, shape[1]], stride, "VALID")
        cut = [slice(pad, pad + size) for pad, size in zip(padding, shape[2:], strict=True)]
        out = out[(slice(None), *cut)]
    elif groups == 1:
        out = tf.nn.convolution(padded(data, padding), kernel, stride, "VALID", dilations=dilation)
    elif groups == data.shape[-1] and count == 2 and stride[0] == stride[1]:
        multiple = kernel.shape[-1] // groups
        kernel = tf.reshape(kernel, [*kernel.shape[:2], groups, multiple])
        out = tf.nn.depthwise_conv2d(
            padded(data, padding), kernel, [1, *stride, 1], "VALID", dilations=dilation
        )
    else:
        parts = zip(tf.split(padded(data, padding), groups, -1), tf.split(kernel, groups, -1), strict=True)
        out = tf.concat([tf.nn.convolution(*part, stride, "VALID", dilations=dilation) for part in parts], -1)
    return Value(last=out if bias is None else tf.nn.bias_add(out, bias.first()))


def max_pool(
    _n: torch.fx.Node, x: Value, kernel: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False,
) -> list[Value]:  # fmt: skip
    """Take the largest of every window; the positions, PyTorch's second result, are not there."""
    count = len(kernel)
    sizes, dilation = pairs(padding, count), pairs(dilation, count)
    data = padded(x.last(), sizes, x.last().dtype.min)
    if ceil_mode:
        raise NotImplementedError("rounded up")
    out = tf.nn.pool(data, kernel, "MAX", strides=stride or kernel, padding="VALID", dilations=dilation)
    return [Value(last=out)]


def average_pool(
    _n: torch.fx.Node, x: Value, kernel: Any, stride: Any = (), padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor: int | None = None,
) -> Value:  # fmt: skip
    """Average every window."""
    sizes = pairs(padding, len(kernel))
    if ceil_mode or divisor is not None or (any(sizes) and not count_include_pad):
        raise NotImplementedError("rounded up, with a divisor of its own or without its padding")
    return Value(
        last=tf.nn.pool(padded(x.last(), sizes), kernel, "AVG", strides=stride or kernel, padding="VALID")
    )


def batch_norm(
    _n: torch.fx.Node, x: Value, weight: Value | None, bias: Value | None, mean: Value, variance: Value,
    _momentum: float, eps: float,
) -> list[Value]:  # fmt: skip
    """Normalize by the stored statistics."""
    if x.last().shape.rank == 4 and weight is not None and bias is not None:
        stored = (part.first() for part in (weight, bias, mean, variance))
        out, *_ = tf.compat.v1.nn.fused_batch_norm(x.last(), *stored, epsilon=eps, is_training=False)
        return [Value(last=out)]
    factor = tf.math.rsqrt(variance.first() + eps) * (1.0 if weight is None else weight.first())
    shift = (0.0 if bias is None else bias.first()) - mean.first() * factor
    return [Value(last=x.last() * factor + shift)]


def mean(node: torch.fx.Node, x: Value, axes: Any = None, keep: bool = False, **_: Any) -> Value:
    """Average; over all spatial dimensions also with the channels last."""
    rank = len(meta(node.args[0]).shape)
    if x.is_last and axes and {axis % rank for axis in axes} == set(range(2, rank)):
        data = tf.reduce_mean(x.last(), list(range(1, rank - 1)))
        return Value(tf.reshape(data, tuple(meta(node).shape)))
    return Value(tf.reduce_mean(cast(x.first(), meta(node).dtype), axes or None, keep))


CHANNELS: dict[str, Callable[..., Any]] = {
    "_native_batch_norm_legit_no_training": batch_norm,
    "avg_pool1d": average_pool, "avg_pool2d": average_pool, "avg_pool3d": average_pool,
    "convolution": convolution,
    "max_pool2d_with_indices": max_pool, "max_pool3d_with_indices": max_pool,
    "mean": mean,
}  # fmt: skip
"""By ATen name, functions of the node and of `Value`s."""


# In PyTorch's order.


def reduce(function: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
    """A reduction over one, some or all dimensions."""
    return lambda node, x, axes=None, keep=False, **_: function(
        cast(x, meta(node).dtype), None if axes in (None, [], ()) else axes, keep
    )


def extreme(values: Callable[..., tf.Tensor], places: Callable[..., tf.Tensor]) -> Callable[..., Any]:
    """The largest or smallest along a dimension, and where it is."""

    def find(_n: torch.fx.Node, x: tf.Tensor, axis: int, keep: bool = False) -> list[tf.Tensor]:
        at = places(x, axis, tf.int64)
        return [values(x, axis, keep), tf.expand_dims(at, axis) if keep else at]

    return find


def place(function: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
    """Where the largest or smallest is, along a dimension or in the whole."""

    def find(node: torch.fx.Node, x: tf.Tensor, axis: int | None = None, *_: Any) -> tf.Tensor:
        found = function(tf.reshape(x, [-1]) if axis is None else x, axis or 0, tf.int64)
        return tf.reshape(found, tuple(meta(node).shape))

    return find


def layer_norm(
    _n: torch.fx.Node, x: tf.Tensor, shape: Sequence[int], weight: Any, bias: Any, eps: float
) -> list[tf.Tensor]:
    """Normalize over the last dimensions."""
    mean, variance = tf.nn.moments(x, list(range(-len(shape), 0)), keepdims=True)
    return [tf.nn.batch_normalization(x, mean, variance, bias, weight, eps)]


def cut(
    _n: torch.fx.Node, x: tf.Tensor, axis: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Any:
    """A slice along one dimension."""
    index: list[slice] = [slice(None)] * x.shape.rank
    index[axis] = slice(start, None if end is None or end >= x.shape[axis] else end, step)
    return x[tuple(index)]


def index(_n: torch.fx.Node, x: tf.Tensor, places: Sequence[Any]) -> tf.Tensor:
    """Gather by one tensor of places along one dimension, or by several along the first ones."""
    used = [axis for axis, part in enumerate(places) if part is not None]
    if any(places[axis].dtype == tf.bool for axis in used):
        raise NotImplementedError("by a mask")
    wrapped = [tf.where(places[axis] < 0, places[axis] + x.shape[axis], places[axis]) for axis in used]
    if len(used) == 1:
        return tf.gather(x, wrapped[0], axis=used[0])
    if used != list(range(len(used))):
        raise NotImplementedError("along dimensions that are not the first ones")
    shape = tf.broadcast_static_shape(wrapped[0].shape, wrapped[-1].shape)
    for part in wrapped[1:-1]:
        shape = tf.broadcast_static_shape(shape, part.shape)
    return tf.gather_nd(x, tf.stack([tf.broadcast_to(part, shape) for part in wrapped], -1))


def gather(_n: torch.fx.Node, x: tf.Tensor, axis: int, places: tf.Tensor, **_: Any) -> tf.Tensor:
    """Gather element by element along one dimension."""
    axis %= x.shape.rank
    grid = tf.meshgrid(*[tf.range(size, dtype=places.dtype) for size in places.shape], indexing="ij")
    grid[axis] = places
    return tf.gather_nd(x, tf.stack(grid, -1))


def top(
    _n: torch.fx.Node, x: tf.Tensor, k: int, axis: int = -1, largest: bool = True, ordered: bool = True
) -> Any:
    """The k largest or smallest along the last dimension, and where they are."""
    if axis % x.shape.rank != x.shape.rank - 1:
        raise NotImplementedError("along a dimension that is not the last")
    values, places = tf.math.top_k(x if largest else -x, k, ordered)
    return [values if largest else -values, tf.cast(places, tf.int64)]


def pad(_n: torch.fx.Node, x: tf.Tensor, sizes: Sequence[int], value: float = 0.0) -> tf.Tensor:
    """Pad, or cut where a size is negative; the sizes begin with the last dimension."""
    whole = [[0, 0] for _ in range(x.shape.rank)]
    for axis in range(len(sizes) // 2):
        whole[-1 - axis] = list(sizes[2 * axis : 2 * axis + 2])
    x = x[tuple(slice(-min(a, 0), size + min(b, 0)) for (a, b), size in zip(whole, x.shape, strict=True))]
    return tf.pad(x, [[max(a, 0), max(b, 0)] for a, b in whole], constant_values=tf.cast(value, x.dtype))


def resize(method: str) -> Callable[..., tf.Tensor]:
    """Resize (batch, channels, height, width) with half-pixel centres."""

    def apply(node: torch.fx.Node, x: tf.Tensor, _size: Any, corners: Any = None, *_: Any) -> tf.Tensor:
        if corners is True:
            raise NotImplementedError("with aligned corners")
        channels_last = tf.image.resize(tf.transpose(x, [0, 2, 3, 1]), meta(node).shape[2:], method)
        return tf.transpose(channels_last, [0, 3, 1, 2])

    return apply


def new(value: Any) -> Callable[..., tf.Tensor]:
    """A tensor of one value; `None` takes it from the call."""
    return lambda node, *args, **_: tf.fill(
        tuple(meta(node).shape), tf.cast(args[1] if value is None else value, DTYPES[meta(node).dtype])
    )


def addmm(_n: torch.fx.Node, c: tf.Tensor, a: tf.Tensor, b: tf.Tensor, **factors: float) -> tf.Tensor:
    """A product and a sum."""
    product = tf.matmul(a, b) * factors["alpha"] if "alpha" in factors else tf.matmul(a, b)
    return product + (c * factors["beta"] if "beta" in factors else c)


def shape(node: torch.fx.Node, x: tf.Tensor, *_: Any, **__: Any) -> tf.Tensor:
    """The same elements in the shape of the result."""
    return tf.reshape(x, tuple(meta(node).shape))


def split(node: torch.fx.Node, x: tf.Tensor, _sizes: Any, axis: int = 0) -> Any:
    """Parts along a dimension."""
    return tf.split(x, [part.shape[axis] for part in meta(node)], axis)


OTHERS: dict[str, Callable[..., Any]] = {
    "_log_softmax": lambda _n, x, axis, _half: tf.nn.log_softmax(x, axis),
    "_softmax": lambda _n, x, axis, _half: tf.nn.softmax(x, axis),
    "_unsafe_view": shape, "addmm": addmm,
    "amax": reduce(tf.reduce_max), "amin": reduce(tf.reduce_min), "any": reduce(tf.reduce_any),
    "argmax": place(tf.argmax), "argmin": place(tf.argmin),
    "baddbmm": addmm, "bmm": lambda _n, a, b: tf.matmul(a, b),
    "cat": lambda node, parts, axis=0: tf.concat([cast(part, meta(node).dtype) for part in parts], axis),
    "constant_pad_nd": pad,
    "cumsum": lambda node, x, axis, **_: tf.cumsum(cast(x, meta(node).dtype), axis),
    "embedding": lambda _n, table, places, *_: tf.gather(table, places),
    "expand": lambda node, x, *_, **__: tf.broadcast_to(x, tuple(meta(node).shape)),
    "flip": lambda _n, x, axes: tf.reverse(x, axes),
    "full": new(None), "full_like": new(None), "gather": gather, "index": index,
    "index_select": lambda _n, x, axis, places: tf.gather(x, places, axis=axis),
    "max": extreme(tf.reduce_max, tf.argmax), "min": extreme(tf.reduce_min, tf.argmin),
    "mm": lambda _n, a, b: tf.matmul(a, b),
    "native_layer_norm": layer_norm, "ones": new(1), "ones_like": new(1),
    "permute": lambda _n, x, axes: tf.transpose(x, axes),
    "prod": reduce(tf.reduce_prod),
    "repeat": lambda _n, x, times: tf.tile(tf.reshape(x, [1] * (len(times) - x.shape.rank) + x.shape), times),
    "select": lambda _n, x, axis, place: tf.gather(x, place % x.shape[axis], axis=axis),
    "slice": cut, "split": split, "split_with_sizes": split, "squeeze": shape, "sum": reduce(tf.reduce_sum),
    "topk": top,
    "tril": lambda _n, x, diagonal=0: tf.where(triangle(x, diagonal), x, tf.zeros((), x.dtype)),
    "triu": lambda _n, x, diagonal=0: tf.where(triangle(x, diagonal - 1), tf.zeros((), x.dtype), x),
    "unsqueeze": shape, "upsample_bilinear2d": resize("bilinear"), "view": shape,
    "zeros": new(0), "zeros_like": new(0),
}  # fmt: skip
"""By ATen name, functions of the node and of tensors."""


def triangle(x: tf.Tensor, diagonal: int) -> tf.Tensor:
    """Where a matrix is on or below a diagonal."""
    rows, columns = tf.range(x.shape[-2])[:, None], tf.range(x.shape[-1])[None]
    return columns - rows <= diagonal
