"""Sums of products over named axes; they live with the named arrays."""

from modeldata.named._contraction import contract, contract_unchecked

__all__ = ["contract", "contract_unchecked"]
