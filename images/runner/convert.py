"""`python3 -m runner.convert`: make a framework's own form of a model, outside all clocks and caps.

Runs in the framework's image, or in its tools image. Standard input carries one line: the sizes of the dimensions and
the parameters of the variant. What the framework cannot do is said in one line of JSON on standard output, and the
exit code is `UNSUPPORTED`.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

from runner.manifest import is_complete, write_manifest
from runner.model import ModelFiles

NATIVE = Path("/native")
UNSUPPORTED = 3
LONGEST_REASON = 2000


def main() -> None:
    """Convert the model at `/model` into `/native`, unless that is done already."""
    told = json.loads(sys.stdin.readline())
    if is_complete(NATIVE):
        return
    try:
        importlib.import_module("convert").convert(ModelFiles(told["dims"]), NATIVE, told["params"])
    except NotImplementedError as reason:
        print(json.dumps({"unsupported": str(reason)[:LONGEST_REASON]}), flush=True)
        sys.exit(UNSUPPORTED)
    write_manifest(NATIVE)


if __name__ == "__main__":
    main()
