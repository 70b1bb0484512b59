"""Texts for GitHub that somebody else's code may have made: what is posted, and what is refused."""

import os
import re
import stat
from pathlib import Path

from pipeline.comment import MARKER
from pipeline.errors import UntrustedText

LONGEST = 65_536
"""Characters that GitHub takes in a comment or an issue."""
LONGEST_BYTES = 4 * LONGEST
CUT = "\n\n*The rest was cut off: GitHub takes no longer comment. The workflow's run has all of it.*\n"
FROM_FORK = (
    "> [!NOTE]\n> This comes from a fork. The code of the pull request made the text below, so it says what its author "
    "wants it to say: read the change itself before you believe it.\n"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of a text."""
_MENTION = re.compile(r"@(?=[A-Za-z0-9])")
_NOTHING = "\u200b"


def read_text(path: Path) -> str:
    """A file's text, of at most 262,144 bytes of UTF-8. Raises UntrustedText, also for what is no plain file.

    A link is not followed: a file that came out of somebody's archive could lead to this process's own secrets.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise UntrustedText(f"there is no file {path}") from None
    except OSError as error:
        raise UntrustedText(f"{path} can't be read as a plain file: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise UntrustedText(f"{path} is no plain file")
    with os.fdopen(number, "rb") as file:
        content = file.read(LONGEST_BYTES + 1)
    if len(content) > LONGEST_BYTES:
        raise UntrustedText(f"{path} has more than {LONGEST_BYTES} bytes")
    try:
        return content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise UntrustedText(f"{path} is not UTF-8 (byte {error.start})") from None


def checked(text: str, about: str) -> str:
    """A text of ours without its marker line.

    Raises UntrustedText where it does not begin with the marker, has control characters, or is 65,536 characters or
    longer; `about` is what the error calls it.
    """
    first, _, rest = text.partition("\n")
    if first.rstrip() != MARKER:
        raise UntrustedText(f"{about} does not begin with the line {MARKER}")
    if len(text) >= LONGEST:
        raise UntrustedText(f"{about} has {len(text)} characters, and GitHub takes less than {LONGEST}")
    found = _CONTROL.search(text)
    if found:
        raise UntrustedText(f"{about} has the control character U+{ord(found[0]):04X}")
    return rest


def comment(body: str, *, is_foreign: bool) -> str:
    """The comment of a checked text, the marker first, shorter than 65,536 characters.

    A foreign one says so at its top and mentions nobody: whoever opens a pull request could otherwise have us call
    people by name.
    """
    if is_foreign:
        body = f"{FROM_FORK}\n{_MENTION.sub(f'@{_NOTHING}', body)}"
    whole = f"{MARKER}\n{body}"
    return whole if len(whole) < LONGEST else whole[: LONGEST - len(CUT) - 1] + CUT
