"""A package whose entry point fails."""


def register(registry):
    """Fail as code of other people does."""
    raise OSError("the colour table is lost")
