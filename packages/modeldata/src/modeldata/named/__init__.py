"""Named axes: arrays whose axes have names, and functions that make them.

By convention imported as `nx`: `from modeldata import nx`.
"""

from modeldata.named._array import NamedArray as NamedArray
from modeldata.named._building import arange as arange
from modeldata.named._building import concatenate as concatenate
from modeldata.named._building import full as full
from modeldata.named._building import ones as ones
from modeldata.named._building import random_split as random_split
from modeldata.named._building import stack as stack
from modeldata.named._building import unstack as unstack
from modeldata.named._building import wrap as wrap
from modeldata.named._building import zeros as zeros
from modeldata.named._contraction import contract as contract
from modeldata.named._contraction import einsum as einsum
from modeldata.named._dims import AxisName as AxisName
from modeldata.named._nmap import is_namedarray as is_namedarray
from modeldata.named._nmap import nmap as nmap
from modeldata.named._nmap import order_like as order_like
from modeldata.named._nmap import scan as scan
from modeldata.named._nmap import where as where
from modeldata.named._slice import slice as slice  # noqa: A004  # read as `nx.slice`
