"""Shows any Python object as a foldable tree with pictures of its arrays."""
