"""Runs all benchmarks, or those whose names contain a word: `python benchmarks/run.py select`."""

import sys

import modeldata_races
import treeview_races
from timing import print_races


def main(words: list[str]) -> None:
    """Runs the chosen races."""
    found = [*treeview_races.races(), *modeldata_races.races()]
    print_races([race for race in found if all(word in race.what for word in words)])


if __name__ == "__main__":
    main(sys.argv[1:])
