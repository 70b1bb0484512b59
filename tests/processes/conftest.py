"""An API on loopback and a nursery of engines for all tests here; each test has environments of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from localcloud.api import gaps_dynamodb
from localcloud.api.server import ApiServer
from processes.api import Api
from processes.environment import Clients, Environment, made
from processes.nursery import Nursery

TEST_SECONDS = 1800


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@pytest.fixture(scope="session")
def api() -> Api:
    return Api()


@pytest.fixture(scope="session")
def server(api: Api) -> Iterator[ApiServer]:
    gaps_dynamodb.install()
    with ApiServer([api.around]) as server:
        yield server


@pytest.fixture(scope="session")
def clients(server: ApiServer) -> Clients:
    made = {
        service: boto3.client(
            service,
            endpoint_url=server.url,
            region_name="eu-west-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        for service in ("dynamodb", "elbv2", "ec2")
    }
    return Clients(**made)


@pytest.fixture(scope="session")
def network(clients: Clients) -> tuple[str, list[str]]:
    vpc = clients.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        clients.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"eu-west-1{zone}")
        for number, zone in ((1, "a"), (2, "b"))
    ]
    return vpc, [subnet["Subnet"]["SubnetId"] for subnet in subnets]


@pytest.fixture(scope="session")
def nursery(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(server.url, tmp_path_factory.mktemp("nursery") / "errors") as nursery:
        yield nursery


@pytest.fixture
def new(
    api: Api, clients: Clients, network: tuple[str, list[str]], nursery: Nursery
) -> Iterator[Callable[..., Environment]]:
    """Makes environments. No process may have died of what nobody foresaw."""
    before = nursery.errors.read_text()
    yield lambda **more: made(api, clients, network, **more)
    assert nursery.errors.read_text()[len(before) :] == ""
