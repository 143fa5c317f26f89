"""Neural networks as plain data on JAX."""
