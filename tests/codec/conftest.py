"""Containers in memory, for tests of what is put into them."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest

from searchkit.codec.container import Container, ContainerWriter


def written(fill: Callable[[ContainerWriter], Any], kind: str = "test") -> bytes:
    """Returns the bytes of a container that fill has written into."""
    finished: list[bytes] = []

    def publish(file: Any) -> None:
        finished.append(file.getvalue())

    with ContainerWriter(BytesIO, publish, kind=kind) as writer:
        fill(writer)
    return finished[0]


@pytest.fixture(scope="session")
def pack() -> Callable[..., bytes]:
    """The function that writes a container to bytes."""
    return written


@pytest.fixture(scope="session")
def container() -> Callable[[Callable[[ContainerWriter], Any]], Container]:
    """Opens what a function writes."""
    return lambda fill: Container(written(fill), "test.skd", kind="test")
