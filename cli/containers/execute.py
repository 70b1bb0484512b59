"""`teal containers exec`."""

import sys

import click

from cli.containers.options import environment_argument, instance_argument, one_of
from cli.containers.place import Listing, hands_of, mark
from cli.failures import one_line
from cli.release.place import place_of
from release.hands import Act


@click.command(context_settings={"allow_interspersed_args": False})
@environment_argument
@click.option("-T", "--no-terminal", is_flag=True, help="Give the command no terminal, whatever this one has.")
@instance_argument
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@one_line
def execute(environment: str, instance: str | None, no_terminal: bool, command: tuple[str, ...]) -> None:
    """Run COMMAND inside the container of an instance of ENV: with its environment, in its folder, as it would.

    Without COMMAND a shell, or Python where the image has no shell. Interactive where this command is: keys, window
    size and signals are passed on. Ends with the exit code of COMMAND; with 137 where the instance ends first. Options
    come before ENV. It is marked in the ledger: who, when, which instance and which program, without its arguments.

    \b
    Examples:
      teal containers exec dev i-0abc
      teal containers exec dev i-0abc python3 -c "import flask; print(flask)"
      teal containers exec -T dev i-0abc env > environment
      teal containers exec --aws prod i-0abc
    """
    has_terminal = not no_terminal and sys.stdin.isatty() and sys.stdout.isatty()
    with place_of(environment) as place:
        hands = hands_of(place)
        hands.check_entry()
        chosen = one_of(Listing(place, hands).read(), instance)
        mark(place, Act.EXEC, chosen, command or ("a shell",))
        invocation = hands.invocation(chosen, command, has_terminal=has_terminal)
    from containers.terminal import attach  # here, since nobody else needs it

    click.get_current_context().exit(attach(invocation))
