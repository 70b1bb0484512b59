"""Arguments and options that several commands share."""

import click

from cli.project import complete_stack

stack_argument = click.argument("stack", default="dev", shell_complete=complete_stack)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
