"""Columns: one value a document for sorting, faceting and ranges.

A column of numbers is a plain little-endian array of one element a document, ready for numpy. Every other
kind of column is bytes in the encoding of whoever declared it; this module only keeps them.

Arrays: column/<i>; meta["columns"] maps a field name to [i, "numbers" | "bytes"].
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.codec.container import Container, ContainerWriter, corrupt


def write_number_column(writer: ContainerWriter, field: str, values: NDArray[Any]) -> None:
    """Writes a column of numbers: one element a document, default values filled in."""
    writer.add(_enter(writer, field, "numbers"), values)


def write_bytes_column(writer: ContainerWriter, field: str, data: bytes) -> None:
    """Writes a column in an encoding of its own."""
    writer.add_bytes(_enter(writer, field, "bytes"), data)


def _enter(writer: ContainerWriter, field: str, kind: str) -> str:
    columns = writer.meta.setdefault("columns", {})
    name = f"column/{len(columns)}"
    columns[field] = [len(columns), kind]
    return name


class Columns:
    """Reads the columns of a segment."""

    def __init__(self, container: Container, doc_count: int) -> None:
        self._container = container
        self._doc_count = doc_count
        self._directory: dict[str, Any] = container.section("columns")

    def __contains__(self, field: str) -> bool:
        return field in self._directory

    def names(self) -> list[str]:
        """Returns the fields that have a column."""
        return list(self._directory)

    def is_numbers(self, field: str) -> bool:
        """Says whether a column is a plain array of numbers."""
        return self._entry(field)[1] == "numbers"

    def numbers(self, field: str) -> NDArray[Any]:
        """Returns a column of numbers: a read-only array with one element a document."""
        number, kind = self._entry(field)
        values = self._container.array(f"column/{number}")
        if kind != "numbers" or len(values) != self._doc_count:
            raise corrupt(self._container.name, f"column {field!r} is not {self._doc_count} numbers")
        return values

    def data(self, field: str) -> memoryview:
        """Returns a column in its own encoding, without copying it."""
        number, kind = self._entry(field)
        if kind != "bytes":
            raise corrupt(self._container.name, f"column {field!r} is {kind}, expected bytes")
        return self._container.array(f"column/{number}").view(np.uint8).data

    def _entry(self, field: str) -> tuple[int, str]:
        entry = self._directory.get(field)
        if not (isinstance(entry, list) and len(entry) == 2):
            raise corrupt(self._container.name, f"column {field!r} is described as {entry!r}")
        return entry[0], entry[1]
