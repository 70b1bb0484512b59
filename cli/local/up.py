"""`teal local up`."""

import json
from collections.abc import Mapping
from typing import Any

import click

from cli.app_image import push_app
from cli.aws import client
from cli.engine import get_engine
from cli.failures import one_line
from cli.local.first import release_first
from cli.local.foreign import up_foreign
from cli.local.options import digest_option, driver_option, json_option, stack_argument
from cli.local.policy import policy_option
from cli.local.running import run
from cli.local.session import Session, session
from cli.local.swarm import check_swarm
from config.settings import Settings, of_stack
from localcloud.errors import LocalCloudError
from localcloud.home import DriverName
from localcloud.provider.api import Api
from localcloud.registrar import own_zone
from localcloud.stacks import LocalStack
from localcloud.status import StackStatus, await_serving, stack_statuses

SERVING_SECONDS = 60.0


@click.command()
@stack_argument
@digest_option
@click.option("--build", is_flag=True, help="Build the app as it stands and make it the first image.")
@driver_option
@policy_option
@json_option
@one_line
def up(stack: str, digest: str | None, build: bool, driver: DriverName | None, is_judged: bool, as_json: bool) -> None:
    """Bring STACK (dev by default) up on this machine, with the real engine and an embedded cloud.

    Needs no account, no Docker and no root. Doing it again changes nothing that has not changed. With --driver docker
    images are built by Docker and instances are containers.

    \b
    Examples:
      teal local up              dev, which builds its image from app/
      teal local up prod         without an image yet: answers 503, "nothing released yet"
      teal local up prod --build
      teal local up dev --driver docker
    """
    if digest and build:
        raise click.UsageError("--image and --build exclude each other: an environment has one first image")
    with session() as here:
        here.require(stack)
        if not here.project.is_teal:
            if digest or build:
                raise click.UsageError("--image and --build are for Teal's own stacks, which have a ledger")
            up_foreign(here, stack, driver, is_judged=is_judged, as_json=as_json)
            return
        wanted = of_stack(here.project.root, stack)
        check_swarm(here.project.home, driver, wanted)
        engine = get_engine(here.steps)
        record = here.cloud(driver)
        found = here.stack(stack, record, engine, is_judged=is_judged)
        api = Api(record.api_url, found.region)
        if wanted.zone_name:
            own_zone(api, wanted.zone_name)
        exports = run(here, found)
        if digest or build:
            exports = _first(here, found, exports, digest, wanted)
        status = _serving(here, found, exports, wanted)
        if wanted.domain:
            here.steps.remark(f"The certificate of {wanted.domain} is self-signed here: curl --insecure {status.url}")
    if as_json:
        click.echo(json.dumps({"stack": stack, "url": status.url, "exports": exports}))
        return
    click.echo(status.url)
    if not exports["isReleased"]:
        click.echo(f"Nothing is released yet: `teal local up {stack} --build` gives it its first image.", err=True)


def _first(
    here: Session, stack: LocalStack, exports: Mapping[str, Any], digest: str | None, wanted: Settings
) -> Mapping[str, Any]:
    with here.steps.step("First image") as step:
        if digest is None:
            ecr = client("ecr", stack.environment)
            digest = push_app(here.project.root, ecr, _repository(exports), {}, stack.record)
        step.detail = digest
        is_new = release_first(stack.environment, stack.name, exports, digest, wanted.instances)
    return run(here, stack) if is_new else exports


def _repository(exports: Mapping[str, Any]) -> str:
    return str(exports["repositoryUrl"]).partition("/")[2]


def _serving(here: Session, stack: LocalStack, exports: Mapping[str, Any], wanted: Settings) -> StackStatus:
    """Waits for the live colour to serve, or for the load balancer to say that nothing is released."""
    count = wanted.instances if exports["isReleased"] else 0
    with here.steps.step(f"Instances of {stack.name}", usual_seconds=5) as step:

        def waiting(told: str) -> None:
            step.detail = told

        def read() -> StackStatus:
            statuses = stack_statuses(stack.record, [stack.region])
            if stack.name not in statuses:
                raise LocalCloudError(f"stack {stack.name} is up, but the embedded cloud has no load balancer for it")
            return statuses[stack.name]

        found = await_serving(read, count, min(count, 2), SERVING_SECONDS, waiting)
        step.detail = f"{len(found.healthy)} healthy"
    return found
