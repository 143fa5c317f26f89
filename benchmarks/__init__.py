"""Times both packages side by side with their peers; run it as `nox -s bench`."""
