"""A stand-in for CUDA's graphs on the CPU: operations on fixed tensors, replayed without Python."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Tape:
    """Operations of a step, in order. A replay computes them again on the same tensors. As with a
    graph, decisions that Python made while it was recorded are fixed, and a result that was put
    into another tensor later is not seen.
    """

    def __init__(self) -> None:
        self.operations: list[tuple[Any, Any, Any, Any]] = []

    def replay(self) -> None:
        """Compute the step once."""
        for operation, args, kwargs, result in self.operations:
            again = operation(*args, **kwargs)
            if not operation._schema.is_mutable:
                for old, new in zip(tree_leaves(result), tree_leaves(again), strict=True):
                    if isinstance(old, Tensor):
                        old.copy_(new)


class _Taping(TorchDispatchMode):  # type: ignore[misc]  # torch is not typed here
    def __init__(self, tape: Tape) -> None:
        super().__init__()
        self._tape = tape

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if func is torch.ops.aten._local_scalar_dense.default:
            raise RuntimeError("a captured step may not ask the device for a number")
        given = {_address(each) for each in tree_leaves((args, kwargs))} - {None}
        is_view = any(_address(each) in given for each in tree_leaves(result))
        if func._schema.is_mutable or not is_view:  # a view of a fixed tensor stays one
            self._tape.operations.append((func, args, kwargs, result))
        return result


def _address(value: Any) -> int | None:
    return value.untyped_storage().data_ptr() if isinstance(value, Tensor) else None


class TapeRecorder:
    """See `rtc_server.engines.canary.buffers.Recorder`."""

    def __init__(self) -> None:
        self.tapes: list[Tape] = []

    def record(self, step: Callable[[], None], changed: Sequence[Tensor]) -> Tape:
        """Return the tape of `step`. Recording has no effect, as on CUDA."""
        kept = [tensor.clone() for tensor in changed]
        for _ in range(2):
            step()
        tape = Tape()
        with _Taping(tape):
            step()
        for tensor, value in zip(changed, kept, strict=True):
            tensor.copy_(value)
        self.tapes.append(tape)
        return tape
