"""An indexed field that a fork of this process writes, while this one writes the others."""

from collections.abc import Callable
from contextlib import suppress
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

from searchkit.codec.container import Container, ContainerWriter
from searchkit.codec.segment import add_field_from
from searchkit.errors import IndexCorrupt
from searchkit.indexing.forks import Fork

_KIND = "terms"


class FieldApart:
    """A field on its way into a file without a name in ``folder``. Use it in a ``with`` statement.

    When that is left no process is running any more.
    """

    def __init__(self, folder: str, name: str, write: Callable[[ContainerWriter], None]) -> None:
        """Have ``write`` write the field ``name``. Raises OSError where there is no room for a file or a process."""
        self.name = name
        self._write = write
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115 - closed when the with statement is left
        try:
            self._fork = Fork(self._written)
        except OSError:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._fork.kill()
        self._file.close()

    def _written(self) -> None:
        with (
            suppress(OSError),  # the other process will meet the same
            ContainerWriter(lambda: self._file, lambda file: file.flush(), kind=_KIND) as writer,
        ):
            self._write(writer)

    def copy_into(self, writer: ContainerWriter) -> bool:
        """Wait until the field is written and copy it; False when it could not be written."""
        self._fork.wait()
        try:
            container = Container.open(self._file, self.name, kind=_KIND)
        except IndexCorrupt:  # it has no end
            return False
        if self.name in container.section("fields"):  # it has a term that is left
            add_field_from(writer, container, self.name)
        container.close()
        return True
