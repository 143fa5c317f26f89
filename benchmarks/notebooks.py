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

FEW, MANY = 2, 50
_SECONDS = 300.0


def rows() -> Iterator[Row]:
    """What notebooks are compared in."""
    yield Row(
        what=f"notebook of {FEW} outputs of a 12-layer transformer, with pictures",
        ours=lambda: in_own_process("treeview", FEW),
        peers={"treescope": lambda: in_own_process("treescope", FEW)},
        goals={"treescope": 1 / 4},
        measure="bytes",
    )
    # Fifty outputs of Treescope take minutes.
    yield Row(
        what=f"notebook of {MANY} outputs of it (treescope: {MANY // FEW} times {FEW} outputs)",
        ours=lambda: in_own_process("treeview", MANY),
        peers={"treescope": lambda: MANY // FEW * in_own_process("treescope", FEW)},
        goals={"treescope": 1 / 4},
        measure="bytes",
        limit=_SECONDS,
    )


def in_own_process(contestant: str, cells: int) -> int:
    """Bytes of a notebook whose outputs are made in a fresh IPython.

    Args:
        contestant: The package that shows the model.
        cells: How many outputs there are.
    """
    command = [sys.executable, "-m", "benchmarks.notebooks", contestant, str(cells)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout.split()[-1])


def notebook_size(contestant: str, cells: int) -> int:
    """What `in_own_process` runs there."""
    shell: Any = InteractiveShell.instance()
    if contestant == "treescope":
        treescope.basic_interactive_setup(autovisualize_arrays=True)
    else:
        treeview.install(shell=shell, autovisualize=True)
    model = nnx_transformer(width=64)
    outputs: list[dict[str, Any]] = []
    for _ in range(cells):
        with capture_output() as captured:  # some display on the side
            data, _ = shell.display_formatter.format(model)
        outputs += [output.data for output in captured.outputs]
        outputs.append(data)
    return len(json.dumps(outputs, ensure_ascii=False).encode())


if __name__ == "__main__":
    print(notebook_size(sys.argv[1], int(sys.argv[2])))
