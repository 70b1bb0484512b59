import json
from typing import Any

from components.monitoring.dashboard import COLUMNS, dashboard_body

SUFFIXES = {"green": "targetgroup/green/2", "blue": "targetgroup/blue/1"}


def widgets() -> list[dict[str, Any]]:
    return list(json.loads(dashboard_body("eu-west-1", "app/shop/1", SUFFIXES, "shop-app"))["widgets"])


def test_every_chart_shows_both_colours_in_the_same_order() -> None:
    charts = [widget["properties"]["metrics"] for widget in widgets() if widget["type"] == "metric"]
    assert charts
    for lines in charts:
        assert [line[-1]["label"] for line in lines] == ["blue", "green"]
        assert [line[5] for line in lines] == ["targetgroup/blue/1", "targetgroup/green/2"]


def test_widgets_stay_within_the_grid_and_do_not_overlap() -> None:
    cells: set[tuple[int, int]] = set()
    for widget in widgets():
        assert widget["x"] + widget["width"] <= COLUMNS
        covered = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & covered
        cells |= covered


def test_every_widget_names_its_region() -> None:
    assert {widget["properties"]["region"] for widget in widgets()} == {"eu-west-1"}


def test_the_last_errors_come_from_the_services_log_group() -> None:
    [log] = [widget for widget in widgets() if widget["type"] == "log"]
    assert log["properties"]["query"].startswith("SOURCE 'shop-app' | ")
