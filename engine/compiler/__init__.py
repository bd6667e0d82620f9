"""`engine.compile`: graphs written scalar by scalar that run at the speed of arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.arguments import check_contains, outputs_and_leaves
from engine.comparisons import warn_of_frozen
from engine.foreign import usage
from engine.recording import collector_paused, noted_comparisons
from engine.value import Value

if TYPE_CHECKING:
    from engine.compiler.program import CompiledFunction


@usage("f = engine.compile(L, [x, y]), then f([[1.0, 2.0], [3.0, 4.0]]) for two rows")
def compile(output: Value | Iterable[Value], inputs: Value | Iterable[Value]) -> CompiledFunction:
    """Compile a recorded graph to a function that replays it over many rows of data.

    The first use of an operation on a machine compiles its kernels and stores them on disk, which takes about a second.

    Args:
        output: a Value, or a list of them.
        inputs: the leaves that change from row to row. The other leaves are the same in every row; their data is read
            at each call of the function.

    Returns:
        A function of rows, an array of shape (n, number of inputs). It returns the outputs, of shape (n,), or (n, k)
        for a list of k outputs. Its method `backward(rows)` returns the mean output over the rows, and adds the
        gradient of that mean to the `grad` of every leaf that is not an input; `mean_gradient(rows, parameters)` takes
        and returns them as arrays. `gradient(rows)` returns the gradient of each row with respect to the inputs.

    Raises:
        ImportError: llvmlite is missing; the extra `fast` installs it.
        TypeError: an output or an input is not a Value.
        ValueError: an input is not a leaf, occurs twice, or is not in the graph; or outputs or inputs are empty.
        RuntimeError: an output is a constant.

    Warns:
        FrozenBranchWarning: a comparison of Values, such as `if x > 0:`, `max(a, b)` or `sorted`, may have decided the
            form of the graph, which is the same for every row; the warning names its line. The comparison depends on an
            input, or only on parameters and plain numbers, and was made before the outputs had been recorded, or
            between an output and another Value, outside `no_grad()`. Comparisons of `v.data` cannot be seen.

    >>> x, w = Value(1.0, "x"), Value(0.5, "w")
    >>> f = compile((w * x).tanh(), [x])
    >>> f([[0.0], [2.0]])
    array([0.        , 0.76159416])
    >>> f.backward([[0.0], [2.0]]), w.grad
    (0.3807970779778824, 0.41997434161402597)
    """
    outputs, leaves = outputs_and_leaves(output, inputs)
    try:
        from engine.compiler.numbering import NumberedGraph
        from engine.compiler.program import CompiledFunction
    except ImportError as error:
        raise ImportError(f"compile needs {error.name}: pip install 'glassgrad[fast]'") from error
    with collector_paused():
        graph = NumberedGraph(outputs)
        check_contains(graph.numbers, leaves)
        function = CompiledFunction(graph, leaves, isinstance(output, Value))
    comparisons = noted_comparisons()
    if comparisons is not None:
        warn_of_frozen(
            comparisons.frozen(outputs, leaves, graph.nodes),
            "the compiled function repeats the outcome for every row: use engine.maximum, minimum, relu or abs, which "
            "are computed for every row",
        )
    return function
