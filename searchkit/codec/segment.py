"""The two files of a segment and what each holds.

<segment>.skd, kind "documents": stored fields, lengths, columns and vectors, written while documents come in.
<segment>.skt, kind "terms": dictionaries and posting lists, written afterwards.

DocumentFile and TermFile are what searching and merging use; FieldTerms is one indexed field: its dictionary
and its posting lists. They are opened once, read by many threads, and make each part when it is first asked
for.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.codec.columns import Columns
from searchkit.codec.container import Container, ContainerWriter, corrupt
from searchkit.codec.posting_writer import PostingData, write_postings
from searchkit.codec.postings import PostingLists
from searchkit.codec.stored import StoredReader
from searchkit.codec.terms import TermDictionary, write_term_bytes, write_terms
from searchkit.codec.vectors import Vectors
from searchkit.errors import IndexCorrupt

DOCUMENTS_EXTENSION = ".skd"
TERMS_EXTENSION = ".skt"
STORED = "stored"
ORDER = "order"  # what the directory has this under, where documents lie so and have the fields of an archive alone
ORDERED_BY = ["published", "id"]

_SEGMENT_ID = re.compile(r"[0-9a-z]{16}")
_INDEX_NAME = re.compile(r"[^/\\:\0]{1,100}")
_BITMAP_FROM = 32  # a bitmap is smaller than numbers of four bytes from one deletion in 32 documents


def write_field(
    writer: ContainerWriter,
    field: str,
    terms: Sequence[bytes] | tuple[bytes | bytearray | memoryview, NDArray[np.integer]],
    data: PostingData,
    *,
    kind: str,
) -> None:
    """Writes one indexed field into a "terms" container; fields come in the sorted order of their names.

    terms are sorted and distinct, one for each list of data; as a tuple, their joined bytes and their
    lengths. kind says how a posting's value is rebuilt from the arrays (values.py).
    """
    name = add_field(writer, field, kind=kind)
    if isinstance(terms, tuple):
        write_term_bytes(writer, f"{name}/term", *terms)
    else:
        write_terms(writer, f"{name}/term", terms)
    write_postings(writer, f"{name}/list", data)


def add_field(writer: ContainerWriter, field: str, *, kind: str) -> str:
    """Enters an indexed field into the directory; what its dictionary ("/term") and its lists ("/list") are under."""
    fields = writer.meta.setdefault("fields", {})
    fields[field] = [len(fields), kind]
    return f"field/{fields[field][0]}"


def add_field_from(writer: ContainerWriter, container: Container, field: str) -> None:
    """Copies an indexed field of another container of terms."""
    number, kind = container.section("fields")[field]
    old, new = f"field/{number}/", f"{add_field(writer, field, kind=kind)}/"
    for name in container.names():
        if name.startswith(old):
            writer.add_from(container, name, new + name.removeprefix(old))
    for section in container.meta.keys() - {"fields"}:
        for name, described in container.section(section).items():
            if name.startswith(old):
                writer.meta.setdefault(section, {})[new + name.removeprefix(old)] = described


def write_lengths(writer: ContainerWriter, field: str, codes: NDArray[np.uint8], total: int) -> None:
    """Writes a field's length codes, one a document, and the exact sum of its lengths."""
    lengths = writer.meta.setdefault("lengths", {})
    writer.add(f"length/{len(lengths)}", codes)
    extremes = (int(codes.min()), int(codes.max())) if len(codes) else (0, 0)
    lengths[field] = [len(lengths), int(total), *extremes]


class FieldTerms:
    """One indexed field of a segment: dictionary and posting lists share their ordinals."""

    def __init__(self, container: Container, field: str) -> None:
        number, kind = container.section("fields")[field]
        name = f"field/{number}"
        self.kind: str = kind
        self.terms = TermDictionary(container, f"{name}/term")
        self.lists = PostingLists(container, f"{name}/list")
        if len(self.terms) != len(self.lists):
            raise corrupt(container.name, f"field {field!r} has {len(self.terms)} terms, {len(self.lists)} lists")


class TermFile:
    """The terms of a segment, field by field."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self._fields: dict[str, FieldTerms] = {}

    def field_names(self) -> list[str]:
        """Returns the indexed fields in sorted order."""
        return sorted(self.container.section("fields"))

    def field(self, name: str) -> FieldTerms | None:
        """Returns an indexed field, or None when the segment has no term in it."""
        found = self._fields.get(name)
        if found is None and name in self.container.section("fields"):
            found = self._fields[name] = FieldTerms(self.container, name)
        return found

    def close(self) -> None:
        """Lets go of the file."""
        self._fields = {}
        self.container.close()


class DocumentFile:
    """What a segment keeps by document: stored fields, lengths, columns, vectors."""

    def __init__(self, container: Container) -> None:
        self.container = container
        doc_count = container.meta.get("documents")
        if type(doc_count) is not int or not 0 <= doc_count < 2**31:
            raise corrupt(container.name, f"says it holds {doc_count!r} documents")
        self.doc_count: int = doc_count
        self.columns = Columns(container, doc_count)
        self._lengths: dict[str, Any] = container.section("lengths")
        self.is_in_order: bool = container.meta.get(ORDER) == ORDERED_BY
        self._vectors: dict[str, Vectors | None] = {}
        self._stored: StoredReader | None = None

    @property
    def stored(self) -> StoredReader:
        """The stored fields."""
        stored = self._stored
        if stored is None:
            stored = StoredReader(self.container, STORED)
            if len(stored) != self.doc_count:
                raise corrupt(self.container.name, f"stored fields of {len(stored)} documents")
            self._stored = stored
        return stored

    def has_lengths(self, field: str) -> bool:
        """Says whether a field has lengths."""
        return field in self._lengths

    def length_fields(self) -> list[str]:
        """Returns the fields that have lengths."""
        return list(self._lengths)

    def length_codes(self, field: str) -> NDArray[np.uint8]:
        """Returns the length code of every document (uint8, zero-copy); 0 is no length."""
        codes: NDArray[np.uint8] = self.container.array(f"length/{self._lengths[field][0]}")
        if len(codes) != self.doc_count or codes.dtype != np.uint8:
            raise corrupt(self.container.name, f"lengths of {field!r} are cut off")
        return codes

    def total_length(self, field: str) -> int:
        """Returns the exact sum of a field's lengths."""
        return int(self._lengths[field][1]) if field in self._lengths else 0

    def length_extremes(self, field: str) -> tuple[int, int]:
        """Returns the smallest and greatest length code of a field, documents without one counting 0."""
        return (int(self._lengths[field][2]), int(self._lengths[field][3])) if field in self._lengths else (0, 0)

    def vectors(self, field: str) -> Vectors | None:
        """Returns the vectors of a field, or None when no document has one."""
        if field not in self.container.section("vectors"):
            return None
        found = self._vectors.get(field)
        if found is None:
            found = self._vectors[field] = Vectors(self.container, field)
        return found

    def close(self) -> None:
        """Lets go of the file."""
        self._stored = None
        self._vectors = {}
        self.container.close()


def pack_deletions(deleted: set[int], doc_count: int) -> bytes:
    """Returns deleted docnums as bytes: "n" and sorted uint32, or "b" and a bitmap when that is shorter."""
    numbers = np.array(sorted(deleted), dtype="<u4")
    if len(numbers) * _BITMAP_FROM > doc_count:
        flags = np.zeros(doc_count, dtype=np.uint8)
        flags[numbers] = 1
        return b"b" + np.packbits(flags, bitorder="little").tobytes()
    return b"n" + numbers.tobytes()


def unpack_deletions(packed: bytes, doc_count: int) -> set[int]:
    """Undoes pack_deletions; ValueError unless every number is below doc_count and they are distinct."""
    body = np.frombuffer(packed, dtype=np.uint8, offset=1) if packed[:1] in (b"n", b"b") else None
    if body is None:
        raise ValueError(f"deletions begin with {packed[:1]!r}")
    if packed[:1] == b"b":
        if len(body) != -(-doc_count // 8):
            raise ValueError(f"deletion bitmap of {len(body)} bytes for {doc_count} documents")
        numbers = np.flatnonzero(np.unpackbits(body, bitorder="little"))
    else:
        numbers = body.view("<u4")
    deleted = set(numbers.tolist())
    if len(deleted) != len(numbers) or (deleted and max(deleted) >= doc_count):
        raise ValueError("deletions are repeated or beyond the last document")
    return deleted


def check_segment_state(state: object) -> tuple[str, str, int, set[int]]:
    """Validates a segment's pickled state and returns index name, segment id, document count, deletions."""
    try:
        if not isinstance(state, dict) or set(state) != {"index", "id", "documents", "deleted"}:
            raise ValueError("unknown fields")
        index, segment_id, documents, packed = (state[key] for key in ("index", "id", "documents", "deleted"))
        if type(index) is not str or not _INDEX_NAME.fullmatch(index):
            raise ValueError(f"index name {index!r}")
        if type(segment_id) is not str or not _SEGMENT_ID.fullmatch(segment_id):
            raise ValueError(f"segment id {segment_id!r}")
        if type(documents) is not int or not 0 <= documents < 2**31:
            raise ValueError(f"{documents!r} documents")
        if type(packed) is not bytes:
            raise ValueError(f"deletions of type {type(packed).__name__}")
        return index, segment_id, documents, unpack_deletions(packed, documents)
    except ValueError as exc:
        raise IndexCorrupt(
            f"segment state: {exc}; restore the index from a backup or build it again with `searchkit index`"
        ) from exc
