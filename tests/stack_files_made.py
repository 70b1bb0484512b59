"""Stack files as anybody might write them: good settings, values of any kind, and oddities of YAML."""

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from components.bounds import LOG_RETENTION_DAYS
from config.settings import Settings
from release.judgement import Check

EXAMPLES = int(os.environ.get("TEAL_FUZZ", "40"))
"""Of each kind; `make test-long` has more."""
ROOT = Path(__file__).parent.parent
DECLARED: Mapping[str, Mapping[str, Any]] = {
    key.removeprefix("teal:"): about
    for key, about in yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"].items()
    if key.startswith("teal:")
}
"""What Pulumi.yaml says of each key: type, description, default."""
ALIASES = tuple(str(field.alias) for field in Settings.model_fields.values())
MOST_ZONES = 3
"""In the region of the mocks."""

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
PRIVATE = ((10 << 24, 8), ((172 << 24) + (16 << 16), 12), ((192 << 24) + (168 << 16), 16))


def bounds(key: str) -> tuple[int, int]:
    """The bounds of a whole number, by the text of Pulumi.yaml."""
    found = re.search(r"\b(\d+)(?: \(off\))? (?:to|or) (?:30 to )?(\d+)\b", DECLARED[key]["description"])
    assert found, key
    return int(found[1]), int(found[2])


def whole(key: str) -> st.SearchStrategy[int]:
    """A number within its bounds, the bounds themselves more often than others."""
    low, high = bounds(key)
    return st.sampled_from((low, high)) | st.integers(low, high)


@st.composite
def blocks(draw: st.DrawFn) -> str:
    (base, own), prefix = draw(st.sampled_from(PRIVATE)), draw(st.integers(16, 21))
    number = draw(st.integers(0, 2 ** (prefix - own) - 1))
    address = base + (number << (32 - prefix))
    return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0)) + f"/{prefix}"


def folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def apart(names: st.SearchStrategy[str], most: int = 4) -> st.SearchStrategy[list[str]]:
    return st.lists(names, max_size=most, unique_by=folded)


@st.composite
def domains(draw: st.DrawFn) -> dict[str, str]:
    """A domain in its zone, or neither."""
    if draw(st.booleans()):
        return {"domain": "", "zoneName": ""}
    zone = ".".join([*draw(st.lists(LABEL, min_size=1, max_size=2)), draw(st.sampled_from(["com", "xn--p1ai", "io"]))])
    host = draw(st.sampled_from(["", "www.", "a.b.", "x" * (63 - len(zone)) + "."]))
    return {"domain": host + zone, "zoneName": zone}


@st.composite
def paces(draw: st.DrawFn) -> dict[str, list[int]]:
    """Steps, and bakes that fit them."""
    steps = [*sorted(draw(st.sets(st.integers(1, 99), max_size=6))), 100]
    count = draw(st.sampled_from((1, len(steps))))
    bake = st.sampled_from((0, 172_800)) | st.integers(0, 172_800)
    return {"steps": steps, "bakeSeconds": draw(st.lists(bake, min_size=count, max_size=count))}


@st.composite
def servers(draw: st.DrawFn) -> dict[str, Any]:
    """How many, of which kind, and a data volume, which only a single one of a scaling group can have."""
    if draw(st.booleans()):
        alone = {"instances": 1, "maxInstances": 1, "dataVolumeGib": draw(whole("dataVolumeGib"))}
        return alone | {"orchestrator": "scaling-group", "swarmHost": ""}
    fewest = draw(whole("instances"))
    most = draw(st.sampled_from((fewest, 100)) | st.integers(fewest, 100))
    return {"instances": fewest, "maxInstances": most, "dataVolumeGib": 0} | draw(orchestrators())


def orchestrators() -> st.SearchStrategy[dict[str, Any]]:
    """Scaling groups, or a swarm, which alone takes an address."""
    hosts = st.sampled_from(
        ("", "ssh://swarm", "ssh://ec2-user@10.0.0.1:22", "tcp://127.0.0.1:2375", "unix:///run/d.sock")
    )
    swarms = st.builds(lambda host: {"orchestrator": "swarm", "swarmHost": host}, hosts)
    return st.just({"orchestrator": "scaling-group", "swarmHost": ""}) | swarms


def ways() -> st.SearchStrategy[dict[str, Any]]:
    """How an image comes: built here, from another stack, or by hand."""
    built, brought = {"buildsImage": True, "follows": ""}, {"buildsImage": False, "follows": "qa"}
    by_hand = {"buildsImage": False, "follows": "", "delivery": "manual"}
    automatic = st.sampled_from(("automatic", "manual")).map(lambda word: {"delivery": word})
    return st.just(by_hand) | st.builds(lambda one, how: one | how, st.sampled_from((built, brought)), automatic)


WORDS = st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), min_size=1, max_size=20)
HOOK = st.fixed_dictionaries(
    {"command": st.lists(WORDS, min_size=1, max_size=3) | st.sampled_from(["scripts/smoke", "run 'a b' -c"])},
    optional={
        "timeoutSeconds": st.floats(0, 86400, exclude_min=True) | st.integers(1, 86400),
        "waitSeconds": st.integers(0, 604800),
    },
)
PHASES = ("preparing", "verifying", "shifting", "settling", "rolling_back", "done", "rolled_back")
TYPES = (["t4g.small", "m7g.large", "c6gd.metal"], ["t3.small", "m7i-flex.large", "g4dn.xlarge"])
"""Of one architecture each."""
OF_A_KIND = ("flowLogRetentionDays", "logRetentionDays", "slowStartSeconds", "swarmManagers", "zones")
"""Numbers that are not between two bounds, or by more than the settings."""
SIZES = ("instances", "maxInstances", "dataVolumeGib")
WHOLES = tuple(key for key, about in DECLARED.items() if about["type"] == "integer" and key not in OF_A_KIND)
PATH = st.from_regex(r"/[!-\"$-~]{0,30}", fullmatch=True)

ALONE: Mapping[str, st.SearchStrategy[Any]] = {
    **{key: whole(key) for key in WHOLES if key not in SIZES},
    **{key: st.booleans() for key, about in DECLARED.items() if about["type"] == "boolean" and key != "buildsImage"},
    "zones": st.integers(2, MOST_ZONES),
    "slowStartSeconds": st.sampled_from((0, 30, 900)) | st.integers(30, 900),
    "flowLogRetentionDays": st.sampled_from(LOG_RETENTION_DAYS),
    "logRetentionDays": st.sampled_from(LOG_RETENTION_DAYS),
    "cidrBlock": blocks(),
    "nat": st.sampled_from(("none", "instance", "single", "per_zone")),
    "serverBoundaryArn": st.sampled_from(("", "arn:aws:iam::123456789012:policy/a/b+=,.@-_")),
    "machineImage": st.just("") | st.from_regex(r"ami-[0-9a-f]{8,17}", fullmatch=True),
    "policy": st.sampled_from(("advisory", "mandatory")),
    "swarmManagers": st.sampled_from((1, 3, 5)),
    "version": st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}", fullmatch=True)
    | st.sampled_from(["no", "010", "1.10"]),
    "interfaceEndpoints": apart(st.sampled_from(["ec2", "ecr.api", "ecr.dkr", "ssm", "s3", "no"]) | LABEL),
    "instanceTypes": st.sampled_from(TYPES).flatmap(
        lambda one: st.lists(st.sampled_from(one), min_size=1, unique=True)
    ),
    "alarmEmails": apart(st.builds("{}@{}.example".format, LABEL, LABEL) | st.just("o'neill+x!#$%&*/=?^_`{|}~-@a.b")),
    "observeOnly": st.lists(st.sampled_from([check.value for check in Check]), max_size=3),
    "hooks": st.dictionaries(st.sampled_from(PHASES), st.lists(HOOK, max_size=2), max_size=2),
    "probePaths": st.lists(PATH, min_size=1, max_size=3),
}
"""Good values of the keys that agree with all others."""
TOGETHER = (domains(), paces(), servers(), ways())
"""Keys that have to agree with each other."""


@st.composite
def good(draw: st.DrawFn, of_all: bool = False) -> dict[str, Any]:
    """Settings that must be taken: all keys, or those that differ."""
    keys = sorted(ALONE) if of_all else sorted(draw(st.sets(st.sampled_from(sorted(ALONE)), max_size=8)))
    found = {key: draw(ALONE[key]) for key in keys}
    for several in TOGETHER:
        if of_all or draw(st.booleans()):
            found |= draw(several)
    return found


ANY_TEXT = st.text(max_size=30) | st.sampled_from(
    ["", " ", "null", "no", "NaN", "1e5", "010", "1_000", "-1", "٣", "2.0", "true", "True", "x" * 5000, "9" * 5000,
     "\x1b[31mred", "a\nb", "\u202egnp", "\ud800", "[" * 3000, "{", "[1", '{"a": NaN}', "[NaN]", "[true, 100]",
     "10.0.0.0/255.255.0.0", "10.0.0.0/016", "10.0.0.0/16\n", "com.amazonaws.eu-west-1.ssm", "t3.small"]
)  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(10**15, 10**40) | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
"""A value of any kind, such as JSON and YAML can express."""


def as_text(value: Any) -> str:
    """As the engine hands a value to a program."""
    return value if isinstance(value, str) else json.dumps(value)


class Quoting(yaml.SafeDumper):
    """Puts every text in quotes: PyYAML writes 08 without, which is a number to the engine."""


Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def written(config: Mapping[str, Any]) -> bytes:
    """A stack file with these settings of ours."""
    document = {"config": {f"teal:{key}": value for key, value in config.items()}}
    return yaml.dump(document, Dumper=Quoting, allow_unicode=True, width=10_000).encode("utf-8", "surrogatepass")


LAUGHS = "\n".join(["a: &a [x, x, x, x, x, x, x, x, x]"] + [
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
])  # fmt: skip
CONFIGS = (
    b"zones: 3", b"tael:zones: 3", b"web:zones: 3", b"aws:regoin: eu-west-1", b"teal:zone: 3",
    b"teal:config:zones: 3", b"5: 3", b": 3", b"2026-11-23: 3", b"~: 3", b"teal:zones:", b"teal:zones: ~",
    b"teal:version: null", b"teal:version: 1.10", b"teal:version: 010", b"teal:version: 2026-11-23",
    b"teal:version: 2026-13-45", b"teal:version: 1_0", b"teal:version: true", b"teal:version: 0x1f",
    b"teal:zones: 0o3", b"teal:zones: 3.0", b"teal:zones: .nan", b"teal:zones: 1e999", b"teal:zones: .inf",
    b"teal:zones: 1:30", b"teal:buildsImage: no", b"teal:buildsImage: yes", b"teal:buildsImage: 'true'",
    b"teal:steps: [010, 100]", b"teal:steps: [true, 100]", b"teal:steps: '[50, 100]'", b"teal:hooks: {done: ~}",
    b"teal:zones: {secure: v1:abc}", b"teal:alarmEmails: [{secure: v1:abc}]", b"aws:secretKey: {secure: v1:abc}",
    b"aws:region: Frankfurt", b"aws:region: {}", b"teal:zones: !!python/object/apply:os.system [id]",
    b"teal:zones: !!python/name:os.system", b"teal:zones: !!binary aGk=", b"teal:zones: !!set {a}",
    b"teal:zones: !!int x", b"teal:zones: !!bool maybe", b"teal:zones: !!timestamp x", b"teal:zones: !x 3",
    b"teal:version: !!str 010", b"teal:version: !!str", b"teal:domain: \"\\ud800\"", b"teal:domain: \"\\e[31m\"",
    b"\"teal:a\\nb\": 1", b"pulumi:tags: {a: b}", b"app:zones: {secure: v1:abc}",
)  # fmt: skip
"""Lines of a stack file's configuration."""
ODDITIES = (
    *(b"config:\n  " + line + b"\n" for line in CONFIGS),
    b"", b"\n", b"#", b"---\n", b"--- x\n--- y\n", b"- a\n", b"5\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\x80", b"\0",
    b"\t", b"config:\n\tteal:zones: 3\n", b"config: [\n", b"config: 5\n", b"config: [teal:zones]\n", b"confg: {}\n",
    b"config:\n  teal:zones: 3\n  teal:zones: 2\n", b"config:\n  zones: 2\n  teal:zones: 3\n",
    b"config:\n  ? [a]\n  : 3\n", b"config:\n  ? {a: b}\n  : 3\n", b"config:\n  teal:zones: " + b"3" * 5000 + b"\n",
    b"config: &a {teal:hooks: *a}\n", b"config: &a\n  <<: *a\n", b"x: &x {teal:zones: 3}\nconfig: {<<: *x}\n",
    b"config: *nowhere\n", b"encryptionsalt: &s v1:x\nconfig:\n  teal:version: *s\n",
    b"config:\n  teal:steps: " + b"[" * 100_000 + b"\n",
    b"config:\n" + b"".join(b" " * depth + b"a:\n" for depth in range(1, 400)), b"x" * 2_000_000,
    LAUGHS.encode() + b"\nconfig: {a: *i}\n",
    b"config: {teal:hooks: {" + LAUGHS.replace("\n", ", ").encode() + b"}}\n",
    b"config:\n  teal:" + b"y" * 3000 + b": 1\n", b"config:\n  teal:alarmEmails: [" + b"x, " * 3000 + b"]\n",
    b"environment: [base]\n", b"%YAML 9.9\n---\nconfig: {}\n",
)  # fmt: skip
"""Whole files, from an empty one to those that are made to break their reader."""
FRAGMENTS = st.sampled_from([
    b"\t", b"\0", b": ", b"- ", b"&a ", b"*a", b"!!python/object:os.system ", b"\xff", b"'", b'"', b"{", b"]", b"\n",
    b"|", b"\xef\xbb\xbf", b"%", b"? ", b"<<: ", b"~", b"2026-11-23", b"0777", b".nan", b"no", b"\x1b", b"\xc2\x85",
])  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """A stack file, spoilt: good settings, with fragments put into them or cut out."""
    content = written(draw(good()))
    for _ in range(draw(st.integers(0, 3))):
        at, skip = draw(st.integers(0, len(content))), draw(st.integers(0, 3))
        content = content[:at] + draw(FRAGMENTS | st.binary(max_size=3)) + content[at + skip :]
    return content


def told_by(action: Callable[[], object], kind: type[Exception]) -> str | None:
    """What an action says is wrong, by an error of this kind; None where nothing is. Any other error is a defect."""
    try:
        action()
    except kind as error:
        return str(error)
    return None


def is_clear(told: str | None, *names: str) -> bool:
    """Whether nothing is wrong, or an error is one line that can be read and has one of the names in it."""
    return told is None or (told.isprintable() and len(told) < 1500 and any(name in told for name in names))
