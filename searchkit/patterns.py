"""Regular expressions that are compiled when they are first used.

A program that answers one query and ends uses few of them, and to compile all takes it longer than to answer. For
patterns that every search uses `re.compile` is the plainer way.
"""

import re
from functools import cached_property
from typing import Any, cast


def late_pattern(source: str, flags: int = 0) -> re.Pattern[str]:
    """What `re.compile` gives, but for errors in ``source``, which come with the first use."""
    return cast(re.Pattern[str], _Uncompiled(source, flags))


class _Uncompiled:
    """Has the attributes of the compiled pattern, and keeps each once it has been asked for."""

    def __init__(self, source: str, flags: int) -> None:
        self._source = source
        self._flags = flags

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._source, self._flags)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._compiled, name)
        self.__dict__[name] = value
        return value
