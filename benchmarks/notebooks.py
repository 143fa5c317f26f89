"""What outputs take in a notebook file, beside Treescope.

Each contestant shows a model in some cells as it does after its usual set-up, with pictures of the
arrays. What IPython would send to the notebook is collected and measured as a file holds it. No
output leans on another one, so many take as many times what a few take.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import treescope
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import treeview
from benchmarks.timing import Row
from benchmarks.treeview import nnx_transformer

CELLS = 2


def rows() -> Iterator[Row]:
    """What notebooks are compared in."""
    yield Row(
        what=f"notebook of {CELLS} outputs of a 12-layer transformer, with pictures",
        ours=lambda: in_own_process("treeview"),
        peers={"treescope": lambda: in_own_process("treescope")},
        goals={"treescope": 1 / 4},
        measure="bytes",
        why="two fifths of an output are the colours of some eighty pictures of 4,000 cells each,"
        " in which there is little to compress; a third is images and markup that show without"
        " scripts.",
    )


def in_own_process(contestant: str) -> int:
    """Bytes of a notebook whose outputs are made in a fresh IPython."""
    command = [sys.executable, "-m", "benchmarks.notebooks", contestant]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout.split()[-1])


def notebook_size(contestant: str) -> int:
    """What `in_own_process` runs there."""
    shell: Any = InteractiveShell.instance()
    if contestant == "treescope":
        treescope.basic_interactive_setup(autovisualize_arrays=True)
    else:
        treeview.install(shell=shell, autovisualize=True)
    model = nnx_transformer(width=64)
    outputs: list[dict[str, Any]] = []
    for _ in range(CELLS):
        with capture_output() as captured:  # some display on the side
            data, _ = shell.display_formatter.format(model)
        outputs += [output.data for output in captured.outputs]
        outputs.append(data)
    return len(json.dumps(outputs, ensure_ascii=False).encode())


if __name__ == "__main__":
    print(notebook_size(sys.argv[1]))
