import json
from typing import Any

import pulumi
import pytest

from components.ledger import Ledger
from components.parameters import parameter_name
from deployed import Registered, deploy
from release.ledger import State
from release.ledger_text import KEY, item, state_of_item

SEED = item(State.initial())


def ledger(**changes: Any) -> dict[str, Registered]:
    args: Any = {"environment": "dev", "seed": SEED, **changes}
    return deploy(lambda: Ledger("ledger", args)).resources


def test_the_table_is_encrypted_restorable_and_paid_by_request() -> None:
    inputs = ledger()["ledger-table"].inputs
    assert inputs["billingMode"] == "PAY_PER_REQUEST"
    assert inputs["pointInTimeRecovery"] == {"enabled": True}
    assert inputs["serverSideEncryption"] == {"enabled": True}


def test_a_ledger_is_protected_twice_unless_told_otherwise() -> None:
    kept, loose = ledger()["ledger-table"], ledger(protects=False)["ledger-table"]
    assert (kept.protect, kept.inputs["deletionProtectionEnabled"]) == (True, True)
    assert (loose.protect, loose.inputs["deletionProtectionEnabled"]) == (False, False)


def test_a_release_reads_the_seed_by_the_tables_keys() -> None:
    found = ledger()
    table, seed = found["ledger-table"].inputs, found["ledger-seed"].inputs
    assert state_of_item(seed["item"]) == State.initial()
    assert set(json.loads(KEY)) == {table["hashKey"], table["rangeKey"]} == {seed["hashKey"], seed["rangeKey"]}
    assert {a["name"] for a in table["attributes"]} == {table["hashKey"], table["rangeKey"]}


def test_a_release_owns_the_item_once_it_is_there() -> None:
    assert ledger()["ledger-seed"].ignored == ("item",)


def test_the_seed_may_be_known_later() -> None:
    assert ledger(seed=pulumi.Output.from_input(SEED))["ledger-seed"].inputs["item"] == SEED


def test_the_pointer_names_the_table_and_comes_last() -> None:
    found = ledger()
    assert found["ledger-pointer"].inputs["name"] == "/teal/dev/ledger"
    assert found["ledger-pointer"].inputs["type"] == "String"
    assert list(found).index("ledger-pointer") > list(found).index("ledger-seed")


def test_children_belong_to_the_component_and_carry_its_tags() -> None:
    children = {name: r for name, r in ledger(tags={"Team": "shop"}).items() if r.type.startswith("aws:")}
    assert {r.parent for r in children.values()} == {"ledger"}
    assert {name for name, r in children.items() if "tags" not in r.inputs} == {"ledger-seed"}
    assert children["ledger-table"].inputs["tags"] == {"Team": "shop", "Name": "ledger-table"}


@pytest.mark.parametrize("environment", ["", "a/b", "dev ", "x" * 101])
def test_an_environment_that_names_no_parameter_is_refused(environment: str) -> None:
    with pytest.raises(ValueError, match="environment must be 1 to 100 letters, digits, dots, dashes or underscores"):
        ledger(environment=environment)


def test_a_parameters_name_starts_with_the_environments_path() -> None:
    assert parameter_name("dev", "test-header") == "/teal/dev/test-header"
