"""What CloudWatch knows of both colours: the load balancer's metrics and the program's alarms.

A question takes one call, but for paging, however many servers there are. What can't be read raises MetricsUnread.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from release.alarms import Alarm, AlarmState
from release.errors import MetricsUnread
from release.judgement import NOTHING, Sample
from release.ledger import Colour, Routes

NAMESPACE = "AWS/ApplicationELB"
PERIOD = timedelta(seconds=60)
"""Load balancers publish once a minute."""
LOOKBACK = timedelta(minutes=3)
"""What is older is not looked at; the latest minutes may still be missing."""
PERCENTILE_SAMPLES = 500
"""Requests that a minute's 99th percentile needs: of fewer, chance alone puts too many of the few slow ones in it."""
MOST_PAGES = 20
NAMES_IN_A_CALL = 100
REQUESTS, TIMES = "RequestCount", "TargetResponseTime"
FAILURES = ("HTTPCode_Target_5XX_Count", "TargetConnectionErrorCount")
STATISTICS = {REQUESTS: "Sum", TIMES: "p99", **dict.fromkeys(FAILURES, "Sum")}
_STATES = {"ALARM": AlarmState.RED}

Points = Mapping[datetime, float]
"""Value by the minute's beginning."""


class CloudWatch(Protocol):
    """What is used of boto3's CloudWatch client."""

    def get_metric_data(self, **arguments: Any) -> Any:
        """Reads values of metrics, a page at a time."""

    def describe_alarms(self, **arguments: Any) -> Any:
        """Reads alarms, a page at a time."""


class ColourMetrics:
    """The load balancer's metrics of both target groups."""

    def __init__(self, client: CloudWatch, routes: Routes) -> None:
        self._client = client
        self._queries = list(_queries(routes))

    def between(self, start: datetime, end: datetime) -> Mapping[Colour, Sample]:
        """What each colour's requests met, but for what is older than LOOKBACK. Raises MetricsUnread.

        The minute that `start` falls into is left out: it also has what the colour met as the live one before.
        """
        first = max(_next_minute(start), end - LOOKBACK)
        if first >= end:
            return dict.fromkeys(Colour, NOTHING)
        arguments = {"MetricDataQueries": self._queries, "StartTime": first, "EndTime": end}
        points: dict[str, dict[datetime, float]] = {query["Id"]: {} for query in self._queries}
        for page in _pages(self._client.get_metric_data, arguments):
            for result in page["MetricDataResults"]:
                if result.get("StatusCode") not in {None, "Complete", "PartialData"}:
                    raise MetricsUnread(f"CloudWatch: {result['StatusCode']} for {result['Label']}")
                values = zip(result["Timestamps"], result["Values"], strict=True)
                points[result["Id"]].update((at, float(value)) for at, value in values)
        return {colour: _sample({name: points[_id(colour, name)] for name in STATISTICS}) for colour in Colour}


class ColourAlarms:
    """The alarms that the program made, by colour."""

    def __init__(self, client: CloudWatch, names: Mapping[Colour, Sequence[str]]) -> None:
        self._client = client
        self._colours = {name: colour for colour, some in names.items() for name in some}

    def read(self) -> tuple[Alarm, ...]:
        """Every alarm as it is now. Raises MetricsUnread."""
        names, found = list(self._colours), dict[str, Any]()
        for first in range(0, len(names), NAMES_IN_A_CALL):
            arguments = {"AlarmNames": names[first : first + NAMES_IN_A_CALL], "AlarmTypes": ["MetricAlarm"]}
            for page in _pages(self._client.describe_alarms, arguments):
                found.update((alarm["AlarmName"], alarm) for alarm in page["MetricAlarms"])
        return tuple(_alarm(name, colour, found.get(name)) for name, colour in self._colours.items())


def _queries(routes: Routes) -> Iterator[dict[str, Any]]:
    """One query a colour and metric. Dimensions in the order of their names: moto compares them so."""
    balancer = routes.listener_arn.partition(":listener/")[2].rpartition("/")[0]
    for colour, group_arn in routes.group_arns.items():
        dimensions = [
            {"Name": "LoadBalancer", "Value": balancer},
            {"Name": "TargetGroup", "Value": group_arn.rpartition(":")[2]},
        ]
        for name, statistic in STATISTICS.items():
            metric = {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": dimensions}
            told = {"Metric": metric, "Period": int(PERIOD.total_seconds()), "Stat": statistic}
            yield {"Id": _id(colour, name), "Label": f"{name} of {colour}", "MetricStat": told}


def _id(colour: Colour, name: str) -> str:
    return f"{colour}_{name}"


def _next_minute(at: datetime) -> datetime:
    """The beginning of the first whole minute from then on."""
    return at + timedelta(seconds=-at.timestamp() % PERIOD.total_seconds())


def _sample(points: Mapping[str, Points]) -> Sample:
    requests = points[REQUESTS]
    times = [value for at, value in points[TIMES].items() if requests.get(at, 0) >= PERCENTILE_SAMPLES]
    return Sample(
        requests=round(sum(requests.values())),
        failed=round(sum(sum(points[name].values()) for name in FAILURES)),
        p99_seconds=max(times, default=None),
    )


def _alarm(name: str, colour: Colour, found: Mapping[str, Any] | None) -> Alarm:
    if found is None:
        return Alarm(name=name, colour=colour, state=AlarmState.GONE, why="")
    why = " ".join(str(found.get("StateReason", "")).split())
    return Alarm(name=name, colour=colour, state=_STATES.get(found["StateValue"], AlarmState.QUIET), why=why)


def _pages(ask: Any, arguments: Mapping[str, Any]) -> Iterator[Any]:
    """Every page of an answer. Raises MetricsUnread for whatever CloudWatch, or the way there, has against it."""
    token: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        try:
            page = ask(**arguments, **token)
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            raise MetricsUnread(f"CloudWatch can't be read: {' '.join(str(error).split())}") from error
        yield page
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}
    raise MetricsUnread(f"CloudWatch's answer has more than {MOST_PAGES} pages")
