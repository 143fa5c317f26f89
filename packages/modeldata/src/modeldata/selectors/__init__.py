"""Selecting parts of a pytree, to look at them or to change them.

    model.select().at_instances_of(nn.Softmax).insert_after(save)

`select` starts with the whole tree. Methods that start with `at` narrow the selection down; all
others tell what is selected, or build a new tree with other things in the places selected. No
method changes the tree it was given.
"""

from modeldata.selectors._holes import SelectionHole as SelectionHole
from modeldata.selectors._holes import SelectionQuote as SelectionQuote
from modeldata.selectors._selection import Selection as Selection
from modeldata.selectors._selection import select as select
