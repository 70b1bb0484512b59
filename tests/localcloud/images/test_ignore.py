import pytest

from localcloud.images.ignore import parse_ignore


@pytest.mark.parametrize(
    ("lines", "left_out", "kept"),
    [
        (["*.pyc"], ["a.pyc"], ["b/a.pyc", "a.py"]),
        (["**/*.pyc"], ["a.pyc", "b/a.pyc", "b/c/a.pyc"], ["a.py"]),
        (["build/"], ["build", "build/a", "build/b/c"], ["builds", "a/build"]),
        (["/build"], ["build/a"], ["a/build"]),
        (["a/**/z"], ["a/z", "a/b/z", "a/b/c/z"], ["z", "b/a/z"]),
        (["a/**"], ["a/b", "a/b/c"], ["b"]),
        (["?.py"], ["a.py"], ["ab.py", "/.py"]),
        (["[ab].py"], ["a.py", "b.py"], ["c.py"]),
        (["[^ab].py"], ["c.py"], ["a.py"]),
        (["*", "!keep.py"], ["a.py", "b/c"], ["keep.py"]),
        (["*.md", "!README.md", "README*"], ["README.md", "a.md"], []),
        (["# a.py", "", "  "], [], ["a.py", "# a.py"]),
        ([r"\#a"], ["#a"], ["a"]),
        (["a.b"], ["a.b"], ["axb"]),
        (["./a"], ["a"], ["b"]),
        (["**/.*", "!.dockerignore"], [".git/config", "a/.env"], [".dockerignore", "a/b"]),
    ],
)
def test_a_line_leaves_out_what_docker_would(lines: list[str], left_out: list[str], kept: list[str]) -> None:
    rules = parse_ignore(lines)
    assert [path for path in left_out if not rules.leaves_out(path)] == []
    assert [path for path in kept if rules.leaves_out(path)] == []
