"""Started by the engine: `pulumi up --policy-pack policy`."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[0] = str(HERE.parent)  # so that this folder is the package `policy`, wherever it was copied to

import yaml  # noqa: E402 - the path first

from policy.analyzer import Pack, serve  # noqa: E402
from policy.rules import RULES  # noqa: E402

if __name__ == "__main__":
    version = yaml.safe_load((HERE / "PulumiPolicy.yaml").read_bytes())["version"]
    here = Path.cwd()  # the engine starts packs in the folder of the program, which may be below its project's
    project = next((folder for folder in (here, *here.parents) if (folder / "Pulumi.yaml").is_file()), here)
    serve(Pack(RULES, version, project))
