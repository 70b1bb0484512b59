"""What a stack keeps for its app: configuration in a namespace of its own, where every key is a secret variable.

`pulumi config set --secret app:DATABASE_URL` asks for a value; the app finds it in DATABASE_URL. Settings of the
environment itself are no secrets (settings.py).
"""

import re
from collections.abc import Mapping

from config.stack_files import SettingsError

NAMESPACE = "app"
VARIABLE = re.compile(r"(?!TEAL_)[A-Za-z_][A-Za-z0-9_]*")


def app_secrets() -> dict[str, str]:
    """Values by variable, in clear: to be handed on and never printed. Raises SettingsError, without it."""
    from pulumi.runtime.config import CONFIG, is_config_secret  # pulumi.Config can't list keys

    found = within(CONFIG.get())
    for variable in found:
        if not VARIABLE.fullmatch(variable):
            raise SettingsError(
                f"{NAMESPACE}:{variable} must be named as a variable: letters, digits, underscores, "
                "not starting with TEAL_"
            )
        if not is_config_secret(f"{NAMESPACE}:{variable}"):
            raise SettingsError(
                f"{NAMESPACE}:{variable} is in clear: set it by `pulumi config set --secret {NAMESPACE}:{variable}`, "
                "which asks for the value, and take another value if others have seen this one"
            )
    return found


def within(config: Mapping[str, str]) -> dict[str, str]:
    """The app's part of a stack's configuration, by variable."""
    prefix = f"{NAMESPACE}:"
    return {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}
