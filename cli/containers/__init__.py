"""`teal containers`."""

import click

from cli.lazy import LazyGroup

COMMANDS = {
    "ps": ("cli.containers.ps:ps", "Show what runs: colour, role, image, health, since when."),
    "logs": ("cli.containers.logs:logs", "Print what containers log, both colours together."),
    "exec": ("cli.containers.execute:execute", "Run a command inside a container, such as a shell."),
    "stop": ("cli.containers.ending:stop", "Have a container finish what it is at, and end; another takes its place."),
    "kill": ("cli.containers.ending:kill", "End a container at once; another takes its place."),
    "stats": ("cli.containers.stats:stats", "Show what containers take: processor, memory, processes."),
}


@click.command(cls=LazyGroup, table=COMMANDS)
def group() -> None:
    """Everyday work on the containers of an environment.

    In the embedded cloud, and with --aws on instances on AWS, there by Systems Manager: no SSH, no open port.
    INSTANCE is an instance's id or the beginning of one; in a swarm a task's name, COLOUR.NUMBER such as blue.1, or a
    worker. What exec, stop and kill do is marked in the ledger: `teal release status` tells which servers were touched
    by hand, and a Phoenix release replaces them.

    \b
    Examples:
      teal containers ps dev
      teal containers logs dev --follow
      teal containers exec dev i-0abc sh
      teal containers stop --aws prod i-0abc --wait
      teal containers exec --aws prod blue.2

    \b
    Exit codes: 0 done, 1 failed, 2 called wrongly, 3 no embedded cloud, 137 the instance ended during exec;
    otherwise exec has that of its command.
    """
