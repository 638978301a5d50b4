"""Which cells above must have run before a cell can run.

So a reader runs an exercise at the end of a chapter without waiting for the whole chapter.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import symtable
from collections.abc import Collection, Sequence

__all__ = ["Cell", "needed"]

COMPOUND = (ast.For, ast.AsyncFor, ast.If, ast.While, ast.With, ast.AsyncWith, ast.Try)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

Names = tuple[set[str], set[str]]


def needed(sources: Sequence[str], wanted: int, done: Collection[int] = ()) -> list[int]:
    """Find the cells above that a cell needs and that have not run.

    It needs the cells that bind the names it reads. A name may stand for a thing that changes,
    a list or a model; then it needs every cell since that touches the name.

    Parameters
    ----------
    sources : sequence of str
        All cells of the chapter, in order.
    wanted : int
        The cell that is to run.
    done : collection of int
        Cells that have run in this session.

    Returns
    -------
    list of int
        In order, without `wanted`.

    Examples
    --------
    >>> needed(["import os", "a = [1]", "b = 2", "a.append(3)", "print(a)"], wanted=4)
    [1, 3]
    """
    cells = [Cell(source) for source in sources]
    found: set[int] = set()
    waiting = [wanted]
    while waiting:
        index = waiting.pop()
        for name in cells[index].reads:
            fresh = suppliers(cells[:index], name) - found
            found |= fresh
            waiting += fresh
    return sorted(found - set(done))


def suppliers(above: Sequence[Cell], name: str) -> set[int]:
    """The cells that give a name the value it has below them."""
    binding = [index for index, cell in enumerate(above) if name in cell.binds]
    if not binding:
        return set()
    last = binding[-1]
    if name in above[last].fixed:
        return {last}
    since = [index for index in range(last, len(above)) if name in above[index].reads]
    return {last, *since}


class Cell:
    """What a cell reads and binds at its top level.

    Parameters
    ----------
    source : str
        A cell that is no Python reads and binds nothing.

    Attributes
    ----------
    reads : set of str
        Names whose values come from outside the cell.
    binds : set of str
        Names that have a value after it.
    fixed : set of str
        Those of them that nothing below changes: modules, functions, classes.

    Examples
    --------
    >>> cell = Cell("total = start + 1; print(total)")
    >>> cell.reads, cell.binds
    ({'start'}, {'total'})
    """

    def __init__(self, source: str) -> None:
        self.reads: set[str] = set()
        self.binds: set[str] = set()
        self.fixed: set[str] = set()
        with contextlib.suppress(SyntaxError):
            self._follow(ast.parse(source).body)

    def _follow(self, statements: Sequence[ast.stmt]) -> None:
        """Go through statements in order: a name bound by one is not read from outside."""
        for statement in statements:
            if isinstance(statement, COMPOUND):
                self._follow_parts(statement)
            else:
                self._take(*names_in(statement))
                self.fixed |= fixed_by(statement)

    def _follow_parts(self, statement: ast.stmt) -> None:
        for part in parts(statement):
            if isinstance(part, ast.stmt):
                self._follow([part])
            elif isinstance(part, ast.ExceptHandler):
                self._take(*names_in(part.type or ast.Constant(None)))
                self._take(set(), {part.name} if part.name else set())
                self._follow(part.body)
            elif isinstance(part, ast.withitem):
                self._take(*names_in(part.context_expr))
                self._take(*names_in(part.optional_vars or ast.Constant(None)))
            elif isinstance(part, ast.expr):
                self._take(*names_in(part))

    def _take(self, reads: set[str], binds: set[str]) -> None:
        self.reads |= reads - self.binds - set(vars(builtins))
        self.binds |= binds


def parts(statement: ast.stmt) -> list[ast.AST]:
    """The parts of a statement in the order in which they run."""
    if isinstance(statement, (ast.For, ast.AsyncFor)):
        return [statement.iter, statement.target, *statement.body, *statement.orelse]
    return list(ast.iter_child_nodes(statement))


def names_in(node: ast.stmt | ast.expr) -> Names:
    """Names that a piece of code reads and binds; those of functions stay in there."""
    table = symtable.symtable(ast.unparse(node), "cell", "exec")
    symbols = table.get_symbols()
    reads = {symbol.get_name() for symbol in symbols if symbol.is_referenced()} | outside(table)
    binds = {symbol.get_name() for symbol in symbols if binds_itself(symbol)}
    if isinstance(node, ast.expr):  # the targets of a loop, which look like reading by themselves
        names = [inner for inner in ast.walk(node) if isinstance(inner, ast.Name)]
        binds |= {name.id for name in names if isinstance(name.ctx, ast.Store)}
        reads -= binds
    elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        reads.add(node.target.id)
    elif isinstance(node, DEFINITIONS):
        reads.discard(node.name)
    return reads, binds


def binds_itself(symbol: symtable.Symbol) -> bool:
    """Whether a name has a value once the code has run."""
    return symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()


def outside(table: symtable.SymbolTable) -> set[str]:
    """Names that the functions and classes inside take from the cell's own level."""
    inner = table.get_children()
    found = {
        symbol.get_name()
        for scope in inner
        for symbol in scope.get_symbols()
        if symbol.is_global() and symbol.is_referenced()
    }
    return found.union(*map(outside, inner))


def fixed_by(statement: ast.stmt) -> set[str]:
    """Names that a statement gives to modules, functions and classes."""
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {(one.asname or one.name).partition(".")[0] for one in statement.names}
    if isinstance(statement, DEFINITIONS):
        return {statement.name}
    return set()
