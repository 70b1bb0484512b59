from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from localcloud.dataplane import moto_statistics
from release.adapters.cloudwatch import MOST_PAGES, NAMES_IN_A_CALL, ColourAlarms, ColourMetrics
from release.alarms import AlarmState
from release.errors import MetricsUnread
from release.judgement import NOTHING, Sample
from release.ledger import Colour, Routes

BLUE, GREEN = Colour.BLUE, Colour.GREEN
ELB = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
ROUTES = Routes(
    listener_arn=f"{ELB}:listener/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2",
    group_arns={colour: f"{ELB}:targetgroup/web-{colour}/73e2d6bc24d8a067" for colour in Colour},
    sticky_seconds=0,
)
NOW = datetime.now(UTC).replace(second=30, microsecond=0)


@pytest.fixture
def cloudwatch() -> Iterator[Any]:
    uninstall = moto_statistics.install()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.setenv(name, "testing")
        with mock_aws():
            yield boto3.client("cloudwatch", region_name="eu-west-1")
    uninstall()


def put(cloudwatch: Any, colour: Colour, name: str, values: list[float], ago_seconds: float = 20) -> None:
    dimensions = [
        {"Name": "LoadBalancer", "Value": "app/web/50dc6c495c0c9188"},
        {"Name": "TargetGroup", "Value": f"targetgroup/web-{colour}/73e2d6bc24d8a067"},
    ]
    at = NOW - timedelta(seconds=ago_seconds)
    data = [{"MetricName": name, "Dimensions": dimensions, "Timestamp": at, "Values": values}]
    cloudwatch.put_metric_data(Namespace="AWS/ApplicationELB", MetricData=data)


def read(client: Any, since: float = 600) -> Any:
    return ColourMetrics(client, ROUTES).between(NOW - timedelta(seconds=since), NOW)


def test_each_colours_requests_failures_and_times_are_its_own(cloudwatch: Any) -> None:
    put(cloudwatch, GREEN, "RequestCount", [490, 30])
    put(cloudwatch, GREEN, "HTTPCode_Target_5XX_Count", [4])
    put(cloudwatch, GREEN, "TargetConnectionErrorCount", [3])
    put(cloudwatch, GREEN, "TargetResponseTime", [0.1] * 98 + [0.7, 0.9])
    put(cloudwatch, BLUE, "RequestCount", [499])
    put(cloudwatch, BLUE, "TargetResponseTime", [9.0] * 10)
    assert read(cloudwatch) == {
        GREEN: Sample(requests=520, failed=7, p99_seconds=0.7),
        BLUE: Sample(requests=499, failed=0, p99_seconds=None),  # too few for a percentile
    }


def test_what_was_before_the_release_or_long_ago_does_not_count(cloudwatch: Any) -> None:
    for ago_seconds, count in ((10, 1.0), (100, 10.0), (170, 100.0), (400, 1000.0)):
        put(cloudwatch, GREEN, "RequestCount", [count], ago_seconds)
    assert read(cloudwatch)[GREEN].requests == 111
    assert read(cloudwatch, since=150)[GREEN].requests == 11


def test_the_minute_that_a_release_began_in_is_left_out_since_the_colour_may_have_been_live_then(
    cloudwatch: Any,
) -> None:
    for ago_seconds, count in ((10, 1.0), (91, 10.0), (100, 100.0)):  # a minute began 90 s ago
        put(cloudwatch, GREEN, "RequestCount", [count], ago_seconds)
    assert read(cloudwatch, since=100)[GREEN].requests == 1
    assert read(cloudwatch, since=90)[GREEN].requests == 1
    assert read(cloudwatch, since=91)[GREEN].requests == 1


def test_in_the_minute_that_a_release_began_in_nobody_is_asked() -> None:
    assert read(Scripted(), since=29) == dict.fromkeys(Colour, NOTHING)


def test_without_any_data_there_are_no_requests(cloudwatch: Any) -> None:
    assert read(cloudwatch) == {colour: Sample(requests=0, failed=0, p99_seconds=None) for colour in Colour}


class Scripted:
    """A client whose calls return, or raise, one thing after the other."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.calls = list(answers), list[dict[str, Any]]()

    def get_metric_data(self, **arguments: Any) -> Any:
        self.calls.append(arguments)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    describe_alarms = get_metric_data


def page(value: float, minute: int, token: str | None = None, status: str = "Complete") -> dict[str, Any]:
    at = NOW - timedelta(minutes=minute)
    told = {"Id": "green_RequestCount", "Label": "x", "Timestamps": [at], "Values": [value], "StatusCode": status}
    return {"MetricDataResults": [told], **({"NextToken": token} if token else {})}


def test_one_call_asks_for_both_colours_and_every_page_is_read() -> None:
    client = Scripted(page(1, 1, "more", "PartialData"), page(10, 2, "yet more", "PartialData"), page(100, 3))
    assert read(client)[GREEN].requests == 111
    assert [call.get("NextToken") for call in client.calls] == [None, "more", "yet more"]
    assert len(client.calls[0]["MetricDataQueries"]) == 8


THROTTLED = ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "GetMetricData")
GONE = EndpointConnectionError(endpoint_url="https://monitoring.example")


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([THROTTLED], r"can't be read: .*Throttling.*Rate exceeded"),
        ([page(1, 1, "more"), THROTTLED], "Rate exceeded"),
        ([GONE], r"can't be read: Could not connect"),
        ([page(1, 1, status="InternalError")], "InternalError for x"),
        ([page(1, 1, "and on")] * MOST_PAGES, "more than 20 pages"),
    ],
)
def test_what_cannot_be_read_is_one_foreseen_problem(answers: list[Any], told: str) -> None:
    with pytest.raises(MetricsUnread, match=told):
        read(Scripted(*answers))


def alarm(cloudwatch: Any, name: str, state: str) -> None:
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="m",
        Namespace="n",
        Period=60,
        Statistic="Sum",
        Threshold=1.0,
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="5 %\n is too much")


def test_alarms_are_read_by_name_and_missing_data_is_quiet(cloudwatch: Any) -> None:
    for name, state in (("b-1", "OK"), ("g-1", "ALARM"), ("g-2", "INSUFFICIENT_DATA"), ("other", "ALARM")):
        alarm(cloudwatch, name, state)
    found = ColourAlarms(cloudwatch, {BLUE: ["b-1"], GREEN: ["g-1", "g-2", "g-3"]}).read()
    assert [(one.name, one.colour, one.state) for one in found] == [
        ("b-1", BLUE, AlarmState.QUIET),
        ("g-1", GREEN, AlarmState.RED),
        ("g-2", GREEN, AlarmState.QUIET),
        ("g-3", GREEN, AlarmState.GONE),
    ]
    assert found[1].why == "5 % is too much"


def test_many_alarms_are_asked_for_by_the_hundred(cloudwatch: Any) -> None:
    names = [f"a-{number:03}" for number in range(NAMES_IN_A_CALL + 5)]
    for name in names:
        alarm(cloudwatch, name, "OK")
    assert {one.state for one in ColourAlarms(cloudwatch, {BLUE: names}).read()} == {AlarmState.QUIET}


def test_alarms_that_cannot_be_read_are_a_foreseen_problem_and_none_needs_no_call() -> None:
    with pytest.raises(MetricsUnread, match="Rate exceeded"):
        ColourAlarms(Scripted(THROTTLED), {BLUE: ["b-1"]}).read()
    assert ColourAlarms(Scripted(), {}).read() == ()
