"""Patterns that are compiled when they are first used."""

import re

import pytest

from searchkit.patterns import late_pattern


def test_a_pattern_is_what_compile_gives() -> None:
    """Every method and attribute is that of the compiled pattern, flags and groups included."""
    late, compiled = late_pattern(r"(?P<word>[a-z]+)", re.IGNORECASE), re.compile(r"(?P<word>[a-z]+)", re.IGNORECASE)
    assert late.findall("One two") == compiled.findall("One two")
    assert late.sub("x", "One two", count=1) == compiled.sub("x", "One two", count=1)
    assert (late.pattern, late.flags, late.groups) == (compiled.pattern, compiled.flags, compiled.groups)
    match = late.fullmatch("One")
    assert match is not None
    assert match["word"] == "One"


def test_an_error_comes_with_the_first_use() -> None:
    """What is no regular expression is refused, if late."""
    late = late_pattern("(")
    with pytest.raises(re.error):
        late.match("")
