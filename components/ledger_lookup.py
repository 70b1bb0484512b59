"""What an environment's ledger says, asked before anything of the environment is declared."""

from pulumi_aws import dynamodb, ssm

from .parameters import parameter_name


def ledger_item(environment: str, key: str) -> str | None:
    """The item under key, in DynamoDB's JSON; None before the first run.

    Asks the provider, so that credentials and endpoint are the stack's own. Whether there is a ledger is told by its
    pointer, which is written last: looking for the item itself fails where there is none, and a run that was killed
    between table and item would then be the last one. Raises ValueError as Ledger does.
    """
    pointer = parameter_name(environment, "ledger")
    # Not decrypted: the test route's secret lives under the same path.
    found = ssm.get_parameters_by_path(path=pointer.rpartition("/")[0], with_decryption=False)
    tables = dict(zip(found.names, found.values, strict=True))
    if pointer not in tables:
        return None
    return dynamodb.get_table_item(table_name=tables[pointer], key=key).item
