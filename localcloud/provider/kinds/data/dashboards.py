"""CloudWatch dashboards."""

import json

from localcloud.provider.kind import AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.bounds import spelled
from localcloud.provider.kinds.common import by_id, deletes_by
from localcloud.provider.kinds.documents import json_object
from localcloud.provider.values import Properties

MOST_WIDGETS = 500


def _puts(change: Change) -> None:
    change.call("put_dashboard", DashboardName=change.id, DashboardBody=change.inputs["dashboardBody"])


def _widgets(inputs: Properties) -> Failures:
    try:
        body = json.loads(inputs.get("dashboardBody", "null"))
    except (TypeError, ValueError):
        return  # json_object says so
    if not isinstance(body, dict):
        return
    widgets = body.get("widgets")
    if not isinstance(widgets, list) or len(widgets) > MOST_WIDGETS:
        got = len(widgets) if isinstance(widgets, list) else "none"
        yield "dashboardBody", f"dashboardBody must have a list of widgets, {MOST_WIDGETS} at most, got {got}"


DASHBOARD = AwsType(
    token="aws:cloudwatch/dashboard:Dashboard",
    service="cloudwatch",
    properties={"dashboardName": Prop(required=True), "dashboardBody": Prop(required=True)},
    create=Create("put_dashboard", lambda change, _: str(change.inputs["dashboardName"])),
    reads=(Read("get_dashboard", by_id("DashboardName")),),
    steps=(Step(frozenset({"dashboardBody"}), _puts),),
    delete=deletes_by("delete_dashboards", by_id("DashboardNames", many=True)),
    outputs={"dashboardArn": "DashboardArn"},
    rules=(
        spelled("dashboardName", r"[A-Za-z0-9_-]{1,255}", "1 to 255 letters, digits, hyphens or underscores"),
        json_object("dashboardBody"),
        _widgets,
    ),
)

TYPES = (DASHBOARD,)
