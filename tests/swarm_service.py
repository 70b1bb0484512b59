"""A service as SwarmServices declares it, and the command by which Docker makes the same one."""

from typing import Any

from deployed import deploy


def declared(image: str, log_group: str, region: str) -> dict[str, Any]:
    """The blue service of dev, with one task, of an image in ECR."""
    from components.swarm_services import SwarmServices

    found = deploy(
        lambda: SwarmServices(
            "app",
            {
                "environment": "dev",
                "images": {"blue": image, "green": ""},
                "replicas": {"blue": 1, "green": 0},
                "log_group_name": log_group,
                "region": region,
            },
        )
    )
    return found.resources["app-blue"].inputs


def creation(spec: dict[str, Any]) -> list[str]:
    """The words after `docker` but for network, placement, ports, log driver and image, which are the caller's."""
    task = spec["taskSpec"]
    container = task["containerSpec"]
    command = ["service", "create", "--detach", "--no-resolve-image", "--name", spec["name"]]
    command += ["--replicas", f"{spec['mode']['replicated']['replicas']:g}", "--read-only"]
    command += [f"--container-label={each['label']}={each['value']}" for each in container["labels"]]
    command += [f"--cap-drop={each}" for each in container["capDrops"]]
    command += [f"--mount=type={each['type']},target={each['target']}" for each in container["mounts"]]
    command += [f"--env={name}={value}" for name, value in container["env"].items()]
    command += [f"--restart-condition={task['restartPolicy']['condition']}"]
    command += [f"--restart-delay={task['restartPolicy']['delay']}"]
    return [*command, f"--limit-memory={task['resources']['limits']['memoryBytes']:.0f}"]


def placing(spec: dict[str, Any]) -> list[str]:
    """The words about where tasks go, and at which port of a worker they answer."""
    task = spec["taskSpec"]
    placement = task["placement"]
    [port] = spec["endpointSpec"]["ports"]
    command = [f"--constraint={each}" for each in placement["constraints"]]
    command += [f"--placement-pref={each}" for each in placement["prefs"]]
    command += [f"--replicas-max-per-node={placement['maxReplicas']:g}"]
    ports = f"target={port['targetPort']:g},published={port['publishedPort']:g}"
    return [*command, f"--publish=mode={port['publishMode']},{ports}"]


def logging(spec: dict[str, Any]) -> list[str]:
    """The words about where logs go."""
    log = spec["taskSpec"]["logDriver"]
    return [f"--log-driver={log['name']}", *(f"--log-opt={name}={value}" for name, value in log["options"].items())]
