"""Names of the SSM parameters by which an environment is found from outside its program."""

import re

_ENVIRONMENT = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def parameter_name(environment: str, leaf: str) -> str:
    """/teal/<environment>/<leaf>. Raises ValueError for an environment that parameters can't be named after."""
    if not _ENVIRONMENT.fullmatch(environment):
        raise ValueError(
            f"environment must be 1 to 100 letters, digits, dots, dashes or underscores, got {environment!r}"
        )
    return f"/teal/{environment}/{leaf}"


def secret_name(environment: str, variable: str) -> str:
    """/teal-app/<environment>/<variable>, apart from what releases and previews look at by path.

    Raises ValueError for an environment that parameters can't be named after.
    """
    return parameter_name(environment, variable).replace("/teal/", "/teal-app/", 1)
