"""Started by the engine: `pulumi up --policy-pack policy`."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[0] = str(HERE.parent)  # so that this folder is the package `policy`, wherever it was copied to

import yaml  # noqa: E402 - the path first

from policy.analyzer import Pack, folder_of_project, serve  # noqa: E402
from policy.exemptions import BadExemptions, read  # noqa: E402
from policy.rules import RULES  # noqa: E402

if __name__ == "__main__":
    try:
        exemptions = read(folder_of_project(), frozenset(rule.id for rule in RULES))
    except BadExemptions as error:
        raise SystemExit(str(error)) from None
    version = yaml.safe_load((HERE / "PulumiPolicy.yaml").read_bytes())["version"]
    serve(Pack(RULES, exemptions, version))
