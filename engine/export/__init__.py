"""`engine.source`: a recorded graph as a program in another language.

`program` turns the graph into lines of Python arithmetic, with names from `naming`; `lines` makes them compute common
expressions once; and `writers` writes them in each language.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from engine.arguments import check_contains, outputs_and_leaves
from engine.graph import topological_order
from engine.validation import describe
from engine.value import Value


def source(
    output: Value | Iterable[Value],
    inputs: Value | Iterable[Value],
    *,
    language: str = "python",
    backward: bool = True,
    comments: bool = False,
    name: str = "f",
) -> str:
    """Return a recorded graph as a program: a function of the inputs that returns the output and its gradient.

    The lines are named as in the graph. Leaves that are not inputs, such as the weights of a trained network, become
    numbers in the program. Equal expressions are computed once. Branches, such as those of `relu`, are in the program,
    so it is correct at any inputs.

    Args:
        output: a Value; or Values in a list, without `backward`.
        inputs: leaves of the graph: the arguments of the function, in this order.
        language: "python" (floats, only the standard library), "numpy" (rows of data), "c" (C99, without allocation) or
            "javascript".
        backward: whether to compute the gradient too.
        comments: write the local derivatives of each line beside it, as mathematics writes them.
        name: the name of the function.

    Returns:
        The text of the program. Its function takes and returns

        - in Python `f(a, b)`, which returns `value` or `(value, [df_da, df_db])`;
        - in NumPy `f(rows)` with rows of shape (n, number of inputs), which returns values of shape (n,) or, for a list
          of k outputs, (n, k), and gradients of shape (n, number of inputs);
        - in C `double f(const double inputs[2], double gradient[2])`, which returns the value; for a list of outputs,
          `void f(const double inputs[2], double outputs[2])`;
        - in JavaScript `f(a, b)`, which returns `value` or `[value, [df_da, df_db]]`.

        Where an operation has no value or overflows, the program in Python raises an error or returns nan or infinity;
        the programs in other languages return nan or infinity.

    Raises:
        TypeError: an output or an input is not a Value, or an option has the wrong type.
        ValueError: an input is not a leaf, occurs twice, or is not in the graph; the language is unknown; `name` is not
            a name; or there are several outputs with `backward`.
        RuntimeError: an output is a constant.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> L = a * b + a
    >>> L.label = "L"
    >>> print(source(L, [a, b]))
    def f(a, b):
        # forward
        v1 = a * b
        L = v1 + a
        # backward
        dL_dL = 1.0
        dL_dv1 = dL_dL
        dL_da = dL_dL
        dL_da += dL_dv1 * b
        dL_db = dL_dv1 * a
        return L, [dL_da, dL_db]
    """
    from engine.export.naming import RESERVED_FUNCTIONS  # here, since `import engine` does not need them
    from engine.export.program import Program
    from engine.export.writers import LANGUAGES

    if not isinstance(language, str):
        raise TypeError(f"language must be a name such as 'python', got {describe(language)}")
    if language not in LANGUAGES:
        near = difflib.get_close_matches(language.lower(), LANGUAGES, n=1)
        hint = f": did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"language must be one of {', '.join(map(repr, LANGUAGES))}, got {language!r}{hint}")
    if not isinstance(name, str):
        raise TypeError(f"name must be a str, got {describe(name)}")
    if not (name.isidentifier() and name.isascii()) or name in RESERVED_FUNCTIONS:
        raise ValueError(f"name must be a new name in every language, such as 'f', got {name!r}")
    outputs, leaves = outputs_and_leaves(output, inputs)
    check_contains(topological_order(*outputs), leaves)
    if backward and not isinstance(output, Value):
        raise ValueError(f"the gradient needs one output, got a list of {len(outputs)}: pass one, or backward=False")
    program = Program(outputs, leaves, backward=backward, comments=comments)
    return LANGUAGES[language].write(program, name, isinstance(output, Value))
