"""Translation of functions in a subset of Python to LLVM IR.

Numbers are `float` (a double), `int` (64 bits, which wrap) and `bool`. An array is the address of its first number and
its lengths; indices are not checked. A function is translated once for the types of its arguments, and once for every
value of a parameter annotated `Static`, which may be a function. Its result has the annotated type.

The subset has assignments, `if`, `while`, `for` over a `range`, `return`, arithmetic, comparisons, conditional
expressions, calls, `len` and `shape`. All operands of `and`, `or` and chained comparisons are computed.
"""

from __future__ import annotations

import ast
import ctypes
import operator
import struct
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
from llvmlite import ir

from engine.recording import collector_paused

Code = TypeVar("Code", bound=Callable[..., Any])

F64, I64, BIT, VOID = ir.DoubleType(), ir.IntType(64), ir.IntType(1), ir.VoidType()


def array_type(element: Any, dimensions: int = 1) -> Any:
    """Return the type of an array: an address and lengths."""
    return ir.LiteralStructType([element.as_pointer(), *[I64] * dimensions])


TYPES = {
    "None": VOID, "bool": BIT, "int": I64, "float": F64, "Floats": array_type(F64), "Matrix": array_type(F64, 2),
    "Integers": array_type(I64), "Table": array_type(I64, 2), "Slots": array_type(ir.IntType(32)),
    "Flags": array_type(ir.IntType(8)), "FlagTable": array_type(ir.IntType(8), 2),
}  # fmt: skip
Floats: TypeAlias = npt.NDArray[np.float64]
Matrix: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Table: TypeAlias = npt.NDArray[np.int64]
Slots: TypeAlias = npt.NDArray[np.uint32]
Flags: TypeAlias = npt.NDArray[np.bool_]
FlagTable: TypeAlias = npt.NDArray[np.bool_]
Static: TypeAlias = Any  # annotates parameters whose values are known when a function is translated

REORDERED = ("reassoc", "contract")  # flags of LLVM: sums in any order, a product and a sum in one instruction
ON_FLOATS = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
ON_INTS = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.BitAnd: "and_", ast.BitOr: "or_", ast.LShift: "shl",
    ast.RShift: "ashr",
}  # fmt: skip
ON_STATIC = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
}  # fmt: skip
FUNCTIONS = {ast.FloorDiv: "floor_divide", ast.Mod: "remainder", ast.Pow: "pow"}  # of floats
SIGNS = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}

INTRINSICS: dict[str, Callable[..., Any]] = {}  # by name: functions of an ir.IRBuilder and operands that emit LLVM IR


def intrinsic(emit: Callable[..., Any]) -> Callable[..., Any]:
    """Let translated code call a function that emits LLVM IR; its first argument is the ir.IRBuilder."""
    INTRINSICS[emit.__name__] = emit
    return emit


def declared(builder: Any, name: str, kind: Any) -> Any:
    """Return a function that is defined elsewhere: an intrinsic of LLVM, or a function of the C library."""
    return builder.module.globals.get(name) or ir.Function(builder.module, kind, name)


@intrinsic
def call_address(builder: Any, address: Any, *arguments: Any) -> Any:
    """Call the function at an address, which returns nothing."""
    kind = ir.FunctionType(VOID, [argument.type for argument in arguments])
    return builder.call(builder.inttoptr(address, kind.as_pointer()), arguments)


@intrinsic
def call_packed(builder: Any, address: Any, words: Any) -> Any:
    """Call the packed function at an address, and return its result."""
    kind = ir.FunctionType(I64, [I64.as_pointer()])
    return builder.call(builder.inttoptr(address, kind.as_pointer()), [builder.extract_value(words, 0)])


@intrinsic
def floats_at(builder: Any, address: Any) -> Any:
    """Return the array of floats at an address; its length is undefined."""
    return _array_at(builder, address, F64)


@intrinsic
def integers_at(builder: Any, address: Any) -> Any:
    """Return the array of integers at an address; its length is undefined."""
    return _array_at(builder, address, I64)


def _array_at(builder: Any, address: Any, element: Any) -> Any:
    array = ir.Constant(array_type(element), ir.Undefined)
    return builder.insert_value(array, builder.inttoptr(address, element.as_pointer()), 0)


def inlined(function: Code) -> Code:
    """Mark a function that must be inlined: LLVM does not vectorize loops that call functions."""
    return function


def reordered(function: Code) -> Code:
    """Mark a function whose sums may be computed in any order."""
    return function


def disjoint(function: Code) -> Code:
    """Mark a function that reads through one array parameter nothing that it stores through another."""
    return function


def choice(condition: object, a: float, b: float) -> float:
    """Return `a if condition else b`; translated code computes both, so that it has no branch."""
    return a if condition else b


def definitions(text: str) -> dict[str, ast.FunctionDef]:
    """Return the functions in a text by name, without intrinsics."""
    functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    return {node.name: node for node in functions if "intrinsic" not in map(ast.unparse, node.decorator_list)}


@collector_paused()
def translate(scope: Mapping[str, Any], exports: Iterable[str] = (), packed: Iterable[str] = ()) -> str:
    """Return a module of LLVM IR.

    Args:
        scope: the names that functions can use: functions (`definitions`, INTRINSICS) and numbers.
        exports: functions whose parameters all have annotated types, which other modules call.
        packed: such functions that Python calls: their arguments are read from an array of words. A number takes one
            word; an array takes one for its address and one for each length. The result is an int.
    """
    module = _Module(scope)
    for name in exports:
        module.export(name)
    for name in packed:
        module.export_packed(name)
    return str(module.ir)


def pack(*arguments: Any) -> npt.NDArray[np.int64]:
    """Return the words for the arguments of a packed function; arrays must be contiguous and writeable."""
    words: list[int] = []
    for x in arguments:
        if isinstance(x, np.ndarray):
            words += [address(x), *x.shape]
        else:
            words.append(x if isinstance(x, int) else struct.unpack("q", struct.pack("d", x))[0])
    return np.array(words, np.int64)


def address(array: npt.NDArray[Any]) -> int:
    """Return the address of an array, which must be contiguous and writeable; 0 if it is empty."""
    memory: Any = array  # this is 3 times as fast as `array.ctypes.data`
    return ctypes.addressof(ctypes.c_char.from_buffer(memory)) if array.size else 0


class _Module:
    """A module, and the functions translated so far, by definition, types and static arguments."""

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self.scope = scope
        self.ir = ir.Module(context=ir.Context())
        self.functions: dict[Hashable, Any] = {}

    def call(self, builder: Any, function: Any, arguments: Sequence[Any]) -> Any:
        """Call an intrinsic or a definition; return the result."""
        if not isinstance(function, ast.FunctionDef):
            return function(builder, *[x if type(x) is int else as_operand(x) for x in arguments])
        parameters = function.args.args
        static, operands = {}, {}
        for parameter, argument in zip(parameters, arguments, strict=True):
            if parameter.annotation and ast.unparse(parameter.annotation) == "Static":
                static[parameter.arg] = argument
            else:
                operands[parameter.arg] = as_operand(argument)
        types = [operand.type for operand in operands.values()]
        key = function, tuple(static.items()), tuple(types)
        if key not in self.functions:
            self.functions[key] = self.add(function, f"{function.name}.{len(self.functions)}", types, static)
            self.functions[key].linkage = "internal"
        return builder.call(self.functions[key], [*operands.values()])

    def add(self, node: ast.FunctionDef, name: str, types: Sequence[Any], static: Mapping[str, Any]) -> Any:
        function = ir.Function(
            self.ir, ir.FunctionType(TYPES[ast.unparse(node.returns or ast.Constant(None))], types), name
        )
        decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
        if "inlined" in decorators:
            function.attributes.add("alwaysinline")
        flags = REORDERED if "reordered" in decorators else ()
        _Body(self, node, function, static, flags, disjoint="disjoint" in decorators)
        return function

    def export(self, name: str) -> None:
        node = self.scope[name]
        self.add(node, name, _annotated(node), {})

    def export_packed(self, name: str) -> None:
        node = self.scope[name]
        function = ir.Function(self.ir, ir.FunctionType(I64, [I64.as_pointer()]), name)
        builder, position = ir.IRBuilder(function.append_basic_block()), 0
        arguments = []
        for kind in _annotated(node):
            parts = list(getattr(kind, "elements", [kind]))
            words = []
            for part in parts:
                place = builder.gep(function.args[0], [I64(position)])
                words.append(builder.load(builder.bitcast(place, part.as_pointer())))
                position += 1
            arguments.append(_pack(builder, kind, words) if len(words) > 1 else words[0])
        result = self.call(builder, node, arguments)
        builder.ret(I64(0) if result.type == VOID else result)


def _annotated(node: ast.FunctionDef) -> list[Any]:
    return [TYPES[ast.unparse(parameter.annotation or node)] for parameter in node.args.args]


def _pack(builder: Any, kind: Any, parts: Iterable[Any]) -> Any:
    """Return an array, or a tuple of vectors, from its parts."""
    result = ir.Constant(kind, ir.Undefined)
    for k, part in enumerate(parts):
        result = builder.insert_value(result, part, k)
    return result


def as_operand(x: Any) -> Any:
    """Return a value of LLVM IR; numbers of Python become constants."""
    if isinstance(x, bool):
        return BIT(x)
    return I64(x) if isinstance(x, int) else F64(x) if isinstance(x, float) else x


class _Body:
    """The body of one function. Variables are in memory; LLVM moves them to registers."""

    def __init__(
        self,
        module: _Module,
        node: ast.FunctionDef,
        function: Any,
        static: Mapping[str, Any],
        flags: Sequence[str],
        *,
        disjoint: bool,
    ) -> None:
        self.module, self.flags = module, flags
        self.builder: Any = ir.IRBuilder(function.append_basic_block())
        self.static = static
        self.variables: dict[str, Any] = {}
        names = [parameter.arg for parameter in node.args.args if parameter.arg not in static]
        domain = module.ir.add_metadata([function.name])
        self.scopes = {name: module.ir.add_metadata([name, domain]) for name in names} if disjoint else {}
        for name, argument in zip(names, function.args, strict=True):
            self.assign(ast.Name(name), argument)
        self.block(node.body)
        if not self.builder.block.is_terminated:
            if function.function_type.return_type == VOID:
                self.builder.ret_void()
            else:
                self.builder.unreachable()

    def block(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            self.statement(statement)
            if self.builder.block.is_terminated:  # by a return
                break

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign([ast.Tuple(targets)], ast.Tuple(values)):
                for target, value in zip(targets, [self.operand(x) for x in values], strict=True):
                    self.assign(target, value)
            case ast.Assign([ast.Name(name)], ast.Tuple(values)):  # to pass on as arguments
                self.static = {**self.static, name: [self.expression(x) for x in values]}
            case ast.Assign([target], value):
                self.assign(target, self.operand(value))
            case ast.AnnAssign(target, value=ast.expr() as value):
                self.assign(target, self.operand(value))
            case ast.AugAssign(target, op, value):
                old = ast.parse(ast.unparse(target), mode="eval").body  # the target as an expression
                self.assign(target, self.binary(op, self.expression(old), self.expression(value)))
            case ast.For(ast.Name() as target, ast.Call(ast.Name("range"), arguments)):
                self.loop(target, arguments, node.body)
            case ast.While(test, body):
                self.repeat(lambda: self.truth(test), lambda: self.block(body))
            case ast.If(test, body, orelse):
                self.branch(test, body, orelse)
            case ast.Return(ast.expr() as value):
                self.builder.ret(self.operand(value))
            case ast.Expr(ast.Constant()) | ast.Pass():  # a docstring
                pass
            case ast.Expr(value):
                self.expression(value)
            case _:
                raise NotImplementedError(ast.unparse(node))

    def assign(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name(name):
                if name not in self.variables:
                    with self.builder.goto_entry_block():
                        self.variables[name] = self.builder.alloca(value.type, name=name)
                if value.type == I64 and self.variables[name].type.pointee == F64:
                    value = self.as_float(value)
                self.builder.store(value, self.variables[name])
            case ast.Subscript(array, index):
                place = self.place(self.expression(array), index)
                element = place.type.pointee
                if element == F64:
                    value = self.as_float(value)
                elif value.type.width < element.width:
                    value = self.builder.zext(value, element)
                elif value.type.width > element.width:
                    value = self.builder.trunc(value, element)
                self.mark(self.builder.store(value, place), array)
            case _:
                raise NotImplementedError(ast.unparse(target))

    def mark(self, access: Any, array: ast.expr) -> Any:
        """Mark a load or store of a `disjoint` function as one that touches no other array, and return it."""
        name = ast.unparse(array)
        if name in self.scopes:
            others = [scope for other, scope in self.scopes.items() if other != name]
            access.set_metadata("alias.scope", self.module.ir.add_metadata([self.scopes[name]]))
            access.set_metadata("noalias", self.module.ir.add_metadata(others))
        return access

    def loop(self, target: ast.Name, arguments: Sequence[ast.expr], body: Iterable[ast.stmt]) -> None:
        """Translate a loop over a range; a step that is not a constant must be above 0."""
        numbers = [self.operand(x) for x in arguments]
        first, last, step = [I64(0), *numbers, I64(1)] if len(numbers) == 1 else [*numbers, I64(1)][:3]
        down = isinstance(step, ir.Constant) and step.constant < 0
        with self.builder.goto_entry_block():
            counter = self.builder.alloca(I64)
        self.builder.store(first, counter)

        def test() -> Any:
            return self.builder.icmp_signed(">" if down else "<", self.builder.load(counter), last)

        def step_body() -> None:
            self.assign(target, self.builder.load(counter))
            self.block(body)
            if not self.builder.block.is_terminated:
                self.builder.store(self.builder.add(self.builder.load(counter), step, flags=["nsw"]), counter)

        self.repeat(test, step_body)

    def repeat(self, test: Callable[[], Any], body: Callable[[], None]) -> None:
        head, inside, after = (self.builder.append_basic_block() for _ in range(3))
        self.builder.branch(head)
        self.builder.position_at_end(head)
        self.builder.cbranch(test(), inside, after)
        self.builder.position_at_end(inside)
        body()
        if not self.builder.block.is_terminated:
            self.builder.branch(head)
        self.builder.position_at_end(after)

    def branch(self, test: ast.expr, body: Sequence[ast.stmt], orelse: Sequence[ast.stmt]) -> None:
        condition = self.truth(test)
        if isinstance(condition, bool):
            self.block(body if condition else orelse)
            return
        blocks = [self.builder.append_basic_block() for _ in range(2)]
        after = self.builder.append_basic_block()
        self.builder.cbranch(condition, *blocks)
        for block, statements in zip(blocks, (body, orelse), strict=True):
            self.builder.position_at_end(block)
            self.block(statements)
            if not self.builder.block.is_terminated:
                self.builder.branch(after)
        self.builder.position_at_end(after)

    def operand(self, node: ast.expr) -> Any:
        return as_operand(self.expression(node))

    def expression(self, node: ast.expr) -> Any:
        """Return the value of an expression: a static one, or one of LLVM IR."""
        match node:
            case ast.Constant(value):
                return value
            case ast.Name(name):
                if name in self.variables:
                    return self.builder.load(self.variables[name])
                return self.static[name] if name in self.static else self.module.scope[name]
            case ast.BinOp(left, op, right):
                return self.binary(op, self.expression(left), self.expression(right))
            case ast.UnaryOp(ast.USub(), operand):
                return self.negative(self.expression(operand))
            case ast.UnaryOp(ast.UAdd(), operand):
                return self.expression(operand)
            case ast.IfExp(test, body, orelse):
                return self.conditional(test, body, orelse)
            case ast.BoolOp(op, [first, *rest]):
                other = rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
                return self.conditional(first, *((first, other) if isinstance(op, ast.Or) else (other, first)))
            case ast.Compare() | ast.UnaryOp(ast.Not()):
                return self.truth(node)
            case ast.Subscript(ast.Name(name), ast.Constant(int() as k)) if isinstance(self.static.get(name), list):
                return self.static[name][k]
            case ast.Subscript(ast.Attribute(array, "shape"), ast.Constant(int() as dimension)):
                return self.builder.extract_value(self.expression(array), 1 + dimension)
            case ast.Subscript(array, ast.Slice(None, ast.expr() as length, None)):
                return self.builder.insert_value(self.expression(array), self.operand(length), 1)
            case ast.Subscript(array, index):
                number = self.mark(self.builder.load(self.place(self.expression(array), index)), array)
                return number if number.type in (F64, I64) else self.builder.zext(number, I64)
            case ast.Call(ast.Name("choice"), [condition, a, b]):
                return self.builder.select(as_operand(self.truth(condition)), self.operand(a), self.operand(b))
            case ast.Call(ast.Name(name), arguments):
                return self.call(name, self.arguments(arguments))
        raise NotImplementedError(ast.unparse(node))

    def place(self, array: Any, index: ast.expr) -> Any:
        """Return the address of array[index], or of array[i, j] in an array of rows."""
        if isinstance(index, ast.Tuple):
            i, j = map(self.operand, index.elts)
            number = self.builder.add(self.builder.mul(i, self.builder.extract_value(array, 2)), j)
        else:
            number = self.operand(index)
        return self.builder.gep(self.builder.extract_value(array, 0), [number])

    def binary(self, op: ast.operator, a: Any, b: Any) -> Any:
        kind = type(op)
        if isinstance(a, int | float) and isinstance(b, int | float) and kind in ON_STATIC:
            with suppress(ArithmeticError):  # 1/0 must fail only if and where it is computed
                return ON_STATIC[kind](a, b)
        a, b = as_operand(a), as_operand(b)
        if F64 in (a.type, b.type) or kind is ast.Div:
            a, b = self.as_float(a), self.as_float(b)
            if kind in FUNCTIONS:
                return self.call(FUNCTIONS[kind], [a, b])
            return getattr(self.builder, ON_FLOATS[kind])(a, b, flags=self.flags)
        if a.type != b.type:  # a bool counts as 0 or 1
            a, b = (self.builder.zext(x, I64) if x.type == BIT else x for x in (a, b))
        return getattr(self.builder, "sdiv" if kind is ast.FloorDiv else ON_INTS[kind])(a, b)

    def negative(self, x: Any) -> Any:
        if isinstance(x, int | float):
            return -x
        return self.builder.fneg(x) if x.type == F64 else self.builder.neg(x)

    def conditional(self, test: ast.expr, body: ast.expr, orelse: ast.expr) -> Any:
        condition = self.truth(test)
        if isinstance(condition, bool):
            return self.expression(body if condition else orelse)
        blocks = [self.builder.append_basic_block() for _ in range(2)]
        after = self.builder.append_basic_block()
        self.builder.cbranch(condition, *blocks)
        results = []
        for block, branch in zip(blocks, (body, orelse), strict=True):
            self.builder.position_at_end(block)
            results.append((self.operand(branch), self.builder.block))
        differ = results[0][0].type != results[1][0].type
        kind = F64 if differ else results[0][0].type
        self.builder.position_at_end(after)
        phi = self.builder.phi(kind)
        for result, block in results:
            self.builder.position_at_end(block)
            phi.add_incoming(self.as_float(result) if differ else result, block)
            self.builder.branch(after)
        self.builder.position_at_end(after)
        return phi

    def truth(self, node: ast.expr) -> Any:
        """Return a condition: a static bool, or one of LLVM IR."""
        match node:
            case ast.BoolOp(op, values):
                combine = self.builder.and_ if isinstance(op, ast.And) else self.builder.or_
                result, *rest = [as_operand(self.truth(value)) for value in values]
                for condition in rest:
                    result = combine(result, condition)
                return result
            case ast.UnaryOp(ast.Not(), operand):
                condition = self.truth(operand)
                return not condition if isinstance(condition, bool) else self.builder.not_(condition)
            case ast.Compare(left, ops, comparators):
                numbers = [self.expression(x) for x in (left, *comparators)]
                pairs = zip(ops, numbers[:-1], numbers[1:], strict=True)
                result, *rest = [self.compare(SIGNS[type(op)], a, b) for op, a, b in pairs]
                for condition in rest:
                    result = self.builder.and_(result, condition)
                return result
        x = self.expression(node)
        if isinstance(x, int | float):
            return bool(x)
        return x if x.type == BIT else self.compare("!=", x, 0)

    def compare(self, sign: str, a: Any, b: Any) -> Any:
        a, b = as_operand(a), as_operand(b)
        if F64 not in (a.type, b.type):
            return self.builder.icmp_signed(sign, a, b)
        a, b = self.as_float(a), self.as_float(b)
        return self.builder.fcmp_unordered(sign, a, b) if sign == "!=" else self.builder.fcmp_ordered(sign, a, b)

    def call(self, name: str, arguments: Sequence[Any]) -> Any:
        match name, arguments:
            case "len", [array]:
                is_array = isinstance(array.type, ir.LiteralStructType)
                return self.builder.extract_value(array, 1) if is_array else array.type.count
            case "float", [x]:
                return self.as_float(as_operand(x))
            case (("min" | "max"), [a, b]):
                a, b = as_operand(a), as_operand(b)
                return self.builder.select(self.compare("<" if name == "min" else ">", b, a), b, a)
        function = self.static[name] if name in self.static else self.module.scope[name]
        return self.module.call(self.builder, function, arguments)

    def arguments(self, nodes: Iterable[ast.expr]) -> list[Any]:
        values: list[Any] = []
        for node in nodes:
            match node:
                case ast.Starred(rest):
                    values += self.expression(rest)
                case _:
                    values.append(self.expression(node))
        return values

    def as_float(self, x: Any) -> Any:
        if x.type == F64:
            return x
        return self.builder.uitofp(x, F64) if x.type == BIT else self.builder.sitofp(x, F64)
