"""The flat graph in the few operators that PyTorch reduces all others to, for a framework that runs them itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from onnx_graph import flat_graph, reason
from torch._functorch.compile_utils import fx_graph_cse
from torch.export.graph_signature import InputKind

if TYPE_CHECKING:
    from runner.model import ModelFiles


@dataclass(frozen=True, kw_only=True)
class CoreGraph:
    """A model in core ATen operators, in order.

    Attributes:
        module: all nodes; no operator in it changes a tensor in place.
        inputs: the placeholders of the model's inputs, in their order.
        constants: what nodes evaluated ahead came to, weights above all: those that a remaining node reads.
        done: these and all other nodes that are not to be executed any more.
    """

    module: torch.fx.GraphModule
    inputs: tuple[torch.fx.Node, ...]
    constants: dict[torch.fx.Node, torch.Tensor]
    done: frozenset[torch.fx.Node]


def core_graph(model: ModelFiles) -> CoreGraph:
    """Convert `/model/model.onnx` for the shapes of `model.inputs`.

    Raises:
        NotImplementedError: an operator cannot be converted; the message names it.
    """
    graph, examples = flat_graph(model)
    try:
        with torch.no_grad():
            program = torch.export.export(Named(graph), examples, strict=False).run_decompositions()
    except Exception as error:
        raise NotImplementedError(f"torch.export: {reason(error)}") from error
    # A recurrent layer reads its weights anew at every step: each is to be transposed, and kept, once.
    module = torch.fx.GraphModule(program.graph_module, fx_graph_cse(program.graph))
    placeholders = {node.name: node for node in module.graph.nodes if node.op == "placeholder"}
    specs = program.graph_signature.input_specs
    values: dict[torch.fx.Node, torch.Tensor] = {}
    for spec in specs:
        if spec.kind is not InputKind.USER_INPUT:
            stored = program.state_dict if spec.target in program.state_dict else program.constants
            values[placeholders[spec.arg.name]] = stored[spec.target].detach()
    inputs = tuple(placeholders[spec.arg.name] for spec in specs if spec.kind is InputKind.USER_INPUT)
    evaluate_ahead(module, values)
    read = {source for node in module.graph.nodes if node not in values for source in node.all_input_nodes}
    constants = {node: value for node, value in values.items() if node in read}
    claims = [
        node for node in module.graph.nodes if str(node.target) == "aten._assert_tensor_metadata.default"
    ]
    return CoreGraph(module=module, inputs=inputs, constants=constants, done=frozenset([*values, *claims]))


class Named(torch.nn.Module):
    """Runs a flat graph node by node, so that an export notes for every operator which ONNX operator it comes from."""

    def __init__(self, graph: torch.fx.GraphModule) -> None:
        super().__init__()
        self.flat = graph

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Call the graph."""
        with torch.fx.traceback.preserve_node_meta():
            return torch.fx.Interpreter(self.flat).run(*inputs)


def where(node: torch.fx.Node) -> str:
    """Name what a node of a core graph is, for the message that it cannot be converted."""
    return f"{node.stack_trace or 'operator'} as {node.target}"


def evaluate_ahead(module: torch.fx.GraphModule, values: dict[torch.fx.Node, torch.Tensor]) -> None:
    """Add the values of all nodes that read nothing but values, such as a transposed weight."""
    for node in module.graph.nodes:
        if node.op == "call_function" and all(source in values for source in node.all_input_nodes):
            arguments = torch.fx.node.map_arg((node.args, node.kwargs), values.__getitem__)
            values[node] = node.target(*arguments[0], **arguments[1])


def is_kernel(node: torch.fx.Node) -> bool:
    """Whether a constant is nothing but weights of convolutions: it can be kept in the order that they compute in."""
    return all(
        user.target is torch.ops.aten.convolution.default
        and not user.args[6]  # transposed
        and [index for index, argument in enumerate(user.args) if argument is node] == [1]
        for user in node.users
    )


def kernel_axes(rank: int) -> list[int]:
    """The order that turns PyTorch's weights of a convolution, (out, in, spatial...), into (spatial..., in, out)."""
    return [*range(2, rank), 1, 0]
