"""Which facts of a class still hold in a subclass."""

from rnnlab.cells.cell import Cell


def holds_for(cell: Cell, fact: str, *methods: str) -> bool:
    """Whether a fact holds for the cell's own methods, and not only for those of a base class.

    It does where the class that defines it, or a class below, defines each of the methods: a
    subclass with another ``step`` has another Jacobian.

    Args:
        cell: the cell.
        fact: name of an attribute that is None where a class does not have it.
        methods: names of the methods that the fact is about.
    """
    classes = type(cell).__mro__
    stated, *defined = (
        next(place for place, owner in enumerate(classes) if name in vars(owner))
        for name in (fact, *methods)
    )
    return stated <= min(defined) and getattr(type(cell), fact) is not None
