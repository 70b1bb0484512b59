"""What IAM's types share: names, paths, sizes."""

from localcloud.provider.kinds.bounds import Rule, spelled

GONE = frozenset({"NoSuchEntity"})
PATH = r"/(?:[!-~]{1,510}/)?"


def named(most: int, name: str = "name") -> Rule:
    """The names that IAM takes, up to so many characters."""
    return spelled(name, rf"[\w+=,.@-]{{1,{most}}}", f"1 to {most} letters, digits or any of _+=,.@-")


def path() -> Rule:
    """The paths that IAM takes."""
    return spelled("path", PATH, "a path that begins and ends with a slash, of at most 512 characters without blanks")


def arn(name: str) -> Rule:
    """An ARN of IAM."""
    return spelled(name, r"arn:aws[a-z-]*:iam::(?:\d{12}|aws):.+", "the ARN of an IAM policy")
