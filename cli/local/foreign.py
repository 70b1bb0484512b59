"""Brings up a stack of somebody else's project, such as one that uses Teal's components."""

import json
from collections.abc import Mapping
from typing import Any

import click

from cli.engine import get_engine
from cli.local.running import run
from cli.local.session import Session
from config.stack_files import stack_config
from localcloud.home import DriverName
from localcloud.provider.api import Api
from localcloud.registrar import own_zone
from localcloud.stacks import LocalStack
from localcloud.status import ENVIRONMENT_TAG, StackStatus, await_serving, stack_statuses

SERVING_SECONDS = 60.0
ZONE_KEY = ":zoneName"
"""Setting, of whichever namespace, that names a hosted zone which the account is to have."""
SECRET = "[secret]"  # noqa: S105  # what is shown instead of one


def up_foreign(here: Session, name: str, driver: DriverName | None, *, is_judged: bool, as_json: bool) -> None:
    """Brings it up, waits for what serves, and prints its address and exports. Raises LocalCloudError."""
    engine = get_engine(here.steps)
    record = here.cloud(driver)
    stack = here.stack(name, record, engine, is_judged=is_judged)
    api = Api(record.api_url, stack.region)
    for key, value in stack_config(here.project.root, name).items():
        if key.endswith(ZONE_KEY) and value:
            own_zone(api, value)
    run(here, stack)
    exports = stack.shown_exports(SECRET)
    status = _serving(here, stack, api)
    if as_json:
        click.echo(json.dumps({"stack": name, "url": status.url, "exports": exports}))
        return
    _show(status, exports)


def _serving(here: Session, stack: LocalStack, api: Api) -> StackStatus:
    """Waits for as many healthy instances as the stack's scaling groups want."""
    groups = api.pages("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups")
    wanted = sum(int(group["DesiredCapacity"]) for group in groups if _is_of(stack.name, group["Tags"]))
    none = StackStatus(None, ())
    with here.steps.step(f"Instances of {stack.name}", usual_seconds=5) as step:

        def waiting(told: str) -> None:
            step.detail = told

        def read() -> StackStatus:
            return stack_statuses(stack.record, [stack.region]).get(stack.name, none)

        found = await_serving(read, wanted, min(wanted, 1), SERVING_SECONDS, waiting)
        step.detail = f"{len(found.healthy)} healthy"
    return found


def _is_of(stack: str, tags: list[dict[str, Any]]) -> bool:
    return any(tag["Key"] == ENVIRONMENT_TAG and tag["Value"] == stack for tag in tags)


def _show(status: StackStatus, exports: Mapping[str, Any]) -> None:
    """The address alone on standard output where there is one, so that a shell can use it; else the exports."""
    for name, value in exports.items():
        text = value if isinstance(value, str) else json.dumps(value)
        click.echo(f"{name}: {text}", err=status.url is not None)
    if status.url:
        click.echo(status.url)
