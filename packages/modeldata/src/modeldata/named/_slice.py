"""`nx.slice`: slices written as in an index."""

from typing import Any


class SliceMaker:
    """An object that returns its index as it was written.

    `nx.slice[1:3]` is `slice(1, 3)`, which reads well where names are indexed:
    `x[{"seq": nx.slice[1:]}]`.
    """

    def __getitem__(self, index: Any) -> Any:
        """Returns the index."""
        return index

    def __repr__(self) -> str:
        return "nx.slice"


slice = SliceMaker()  # noqa: A001  # read as `nx.slice`
