"""The comment: what it says first, that it fits, and that nobody else writes in it."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pulumi.automation.events import EngineEvent

from pipeline import types
from pipeline.comment import LONGEST_BYTES, MARKER, comment
from pipeline.markdown import code
from pipeline.model import Change, Danger, Existence, Kind, Place, Property, StackPreview, Threat, Verdict
from preview_world import BLINDED, policy, preview_of, problem, step

GOLDEN = Path(__file__).with_name("comment.md")
GITHUB_TAKES = 65_536
OTHERS = "☃"
"""In every text here that is not ours."""


def subnet(name: str, number: int) -> list[EngineEvent]:
    before, after = {"cidrBlock": f"10.0.{number}.0/20"}, {"cidrBlock": f"10.0.{number + 16}.0/20"}
    detailed, ops = {"cidrBlock": "update-replace"}, ("create-replacement", "replace")
    return [step(op, types.SUBNET, name, before, after, keys=("cidrBlock",), detailed=detailed) for op in ops]


def story() -> list[StackPreview]:
    """One of everything that a comment can say."""
    rule = {"ipProtocol": "tcp", "fromPort": 80, "toPort": 80, "cidrIpv4": "10.0.0.0/16", "securityGroupId": "sg-1"}
    dev = preview_of(
        step("create", "aws:ssm/parameter:Parameter", "flag", None, {"value": BLINDED}),
        step("same", types.VPC, "main-vpc", {"cidrBlock": "10.0.0.0/16"}, {"cidrBlock": "10.0.0.0/16"}),
        step("update", "aws:ssm/parameter:Parameter", "test-route-value", {"value": BLINDED}, {"value": BLINDED},
             detailed={"value": "update"}),
        *subnet("main-private-a", 128),
        step("delete-replaced", types.SUBNET, "main-private-a", {"cidrBlock": "10.0.128.0/20"}),
        step("update", types.INGRESS_RULE, "web-from-vpc-80", rule, {**rule, "cidrIpv4": "0.0.0.0/0"},
             detailed={"cidrIpv4": "update"}),
        step("delete", types.TABLE, "ledger", {"name": "ledger"}),
        step("delete", "aws:cloudwatch/metricAlarm:MetricAlarm", "web-late", {"threshold": 1}),
        step("update", types.LOAD_BALANCER, "web", {"enableDeletionProtection": True},
             {"enableDeletionProtection": False}, detailed={"enableDeletionProtection": "update"}),
        policy("disk-encrypted", "web: its disks are plain. Set encrypted=True."),
        policy("ports", "web: open to everyone: 22.", level="mandatory"),
        policy("key", "log: kmsKeyId is not known in a preview; key is decided in the update"),
        against="main (0123456789)",
    )  # fmt: skip
    failed = preview_of(
        problem("error: teal:zones is '1'"), stack="qa", failure="exit 255", against="main (0123456789)"
    )
    gone = StackPreview(stack="old", existence=Existence.GONE)
    quiet = [StackPreview(stack=name, unchanged=90, against="main (0123456789)") for name in ("prod", "stage")]
    return [*quiet, gone, dev, failed, StackPreview(stack="prod", place=Place.AWS, against="AWS")]


def test_the_comment_is_the_golden_file(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--update"):
        GOLDEN.write_text(comment(story()))
    assert comment(story()) == GOLDEN.read_text(), "run with --update, and read what changed"


def test_it_begins_with_the_hidden_mark_by_which_it_is_found_again() -> None:
    assert comment([]).splitlines()[0] == MARKER
    assert comment(story()).count(MARKER) == 1


def test_replacements_and_what_opens_a_group_come_before_all_else() -> None:
    lines = comment(story()).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("- ") and "zones" not in line)
    assert [line.split(":")[0] for line in lines[first : first + 4]] == [
        "- **Table deleted**",
        "- **Security group lets everyone in**",
        "- **Load balancer loses what keeps it from being deleted**",
        "- **Subnet replaced**",
    ]


def test_quiet_stacks_are_one_line() -> None:
    quiet = [StackPreview(stack=name, unchanged=90) for name in ("dev", "qa", "prod")]
    text = comment(quiet)
    assert "Nothing changes." in text
    assert "Unchanged: `dev`, `qa`, `prod`." in text
    assert "###" not in text


def test_a_secret_is_nowhere() -> None:
    text = comment(story())
    assert "test-route-value" in text
    assert "secret" not in text.lower()


def test_a_huge_change_is_cut_and_the_worst_of_it_stays() -> None:
    many = tuple(Change(kind=Kind.UPDATE, name=f"alarm-{n}", type="x:y:Z") for n in range(5000))
    lost = tuple(Change(kind=Kind.DELETE, name=f"role-{n}", type="x:y:Z") for n in range(2000))
    danger = Danger(threat=Threat.DELETED, name="ledger", type=types.TABLE)
    previews = [StackPreview(stack=f"s{n}", changes=(*many, *lost)) for n in range(3)]
    text = comment(
        [*previews, StackPreview(stack="last", changes=many, dangers=(danger,)), StackPreview(stack="still")]
    )
    assert LONGEST_BYTES - 200 < len(text.encode()) <= LONGEST_BYTES < GITHUB_TAKES
    assert text.index("**Table deleted**: `ledger`") < text.index("deleted: `role-0`")
    assert "alarm-" not in text
    assert "2000 deleted, 5000 updated" in text, "the numbers are of all"
    told = text.count("- deleted: ")
    left = 4 * 5000 + 3 * 2000 - told + 1  # the line of the stack that stays the same is cut first
    assert f"Cut to fit: {left} entries, the least dangerous ones." in text


class Page(HTMLParser):
    """What a reader of Markdown makes of a comment: tags that are open, and text outside of code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.bare: list[str] = []
        self.feed(MarkdownIt("commonmark").render(text))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not attrs, "nothing here has attributes"
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "code" not in self.open:
            self.bare.append(data)


BREAKING = [
    "a", "</details>", "<details>", "`", "``", "\n\n", "\n- ", "@teal", "#1", "<!--", "-->", "\\", "|", "</code>",
    "<script>", "![x](http://x)", "\u202e", "\x00", "é", "\U0001f600", "\r", "* * *", " ",
]  # fmt: skip
"""What could break out of where it stands."""
text = st.lists(st.sampled_from(BREAKING), max_size=4).map(lambda found: OTHERS + "".join(found))
texts = st.lists(text, max_size=3).map(tuple)
types_of = st.sampled_from([types.TABLE, types.SUBNET, types.INGRESS_RULE, types.VPC]) | text
properties = st.builds(Property, path=text, forces=st.booleans(), before=st.none() | text, after=st.none() | text)
changes = st.builds(
    Change, kind=st.sampled_from(Kind), name=text, type=types_of, is_gone_first=st.booleans(), is_kept=st.booleans(),
    properties=st.lists(properties, max_size=7).map(tuple),
)  # fmt: skip
dangers = st.builds(
    Danger, threat=st.sampled_from(Threat), name=text, type=types_of, because=texts, before=texts, after=texts,
    is_gone_first=st.booleans(),
)  # fmt: skip
verdicts = st.builds(Verdict, rule=text, resource=text, message=text, is_mandatory=st.booleans())
previews = st.builds(
    StackPreview, stack=text, place=st.sampled_from(Place), against=text, existence=st.sampled_from(Existence),
    changes=st.lists(changes, max_size=6).map(tuple), unchanged=st.integers(0, 10**6),
    dangers=st.lists(dangers, max_size=4).map(tuple), verdicts=st.lists(verdicts, max_size=4).map(tuple),
    undecided=st.integers(0, 99), failure=st.none() | text,
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(previews, max_size=3), st.integers(2000, 5000))
def test_it_fits_and_is_well_formed_whatever_comes(found: list[StackPreview], longest: int) -> None:
    whole = comment(found, longest)
    assert len(whole.encode()) <= longest
    assert whole.startswith(MARKER + "\n")
    page = Page(whole)
    assert page.open == []
    assert page.seen <= {"h2", "h3", "p", "strong", "ul", "li", "code", "details", "summary"}
    assert OTHERS not in "".join(page.bare), "what others wrote stands in code"


@settings(max_examples=10, deadline=None)
@given(st.lists(previews, max_size=3))
def test_what_is_cut_is_never_worse_than_what_stays(found: list[StackPreview]) -> None:
    whole, cut = comment(found, 10**9), comment(found, 3000)
    if "\n- updated" in cut or "\n- created" in cut:
        assert cut.count("\n- **") == whole.count("\n- **"), "every danger is still there"


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_a_text_of_others_is_one_code_span(given_text: str) -> None:
    page = Page(f"a {code(given_text)} b")
    assert page.seen == {"p", "code"}
    assert "".join(page.bare).split() == ["a", "b"]
