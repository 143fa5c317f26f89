"""What an import costs in a fresh interpreter."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile

# Bytecode goes to a folder of its own: the machine may be told to write none.
_CACHE = tempfile.mkdtemp(prefix="benchmark-bytecode-")
atexit.register(shutil.rmtree, _CACHE, ignore_errors=True)


def importing(module: str, *, after: str) -> float:
    """Processor seconds that importing a module takes after another one, with bytecode cached."""
    program = (
        f"import {after}, time; start = time.process_time(); import {module};"
        "print(time.process_time() - start)"
    )
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = _CACHE
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return float(done.stdout)
