"""Arrays of any library: what they are, what is in them, and pictures of it."""
