"""ArrayCodec: how Whoosh writes and reads a segment of ours. The only file that subclasses whoosh.codec.

    index = whoosh.index.create_in(folder, schema)
    writer = index.writer(codec=ArrayCodec())

Everything Whoosh does through a codec works: its writers, searchers, merges, deletions, vectors, columns,
spelling, its multiprocessing writers. The classes here translate; the bytes are the business of segment.py
and below. The state of a segment, which Whoosh pickles into its table of contents, is two strings, a number
and bytes, and is validated when it comes back.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from whoosh import columns
from whoosh.codec import base
from whoosh.filedb.structfile import BufferFile, StructFile
from whoosh.matching import LeafMatcher, ReadTooFar
from whoosh.reading import TermInfo, TermNotFound

from searchkit.codec.columns import write_bytes_column, write_number_column
from searchkit.codec.container import ARITHMETIC, Container, ContainerWriter, corrupt, damage
from searchkit.codec.lengths import LENGTHS, encode_lengths
from searchkit.codec.posting_writer import BLOCK
from searchkit.codec.postings import ListStatistics, PostingLists
from searchkit.codec.segment import (
    DOCUMENTS_EXTENSION,
    STORED,
    TERMS_EXTENSION,
    DocumentFile,
    FieldTerms,
    TermFile,
    check_segment_state,
    pack_deletions,
    write_field,
    write_lengths,
)
from searchkit.codec.stored import StoredWriter, decode_value, encode_value
from searchkit.codec.values import ListValues, ValueBuffer
from searchkit.codec.vectors import write_vectors

Sync = Callable[[BinaryIO], None]

_LENGTHS: list[int] = LENGTHS.tolist()
_TERMS_AT_ONCE = 1024
# NumericColumn type codes whose packed size is the same everywhere; "l" and "L" are not.
_NUMBERS = {
    "b": "i1",
    "B": "u1",
    "h": "i2",
    "H": "u2",
    "i": "i4",
    "I": "u4",
    "q": "i8",
    "Q": "u8",
    "f": "f4",
    "d": "f8",
}


class ArrayCodec(base.Codec):
    """Stores a segment as two files of flat arrays.

    sync is called with each finished file before it gets its name; os.fsync in a wrapper makes it durable.
    Whoosh passes options of its stock codec to whatever codec is in place; those say nothing to this one.
    """

    def __init__(self, *, sync: Sync | None = None, **stock_options: Any) -> None:
        self._sync = sync

    def per_document_writer(self, storage: Any, segment: "ArraySegment") -> "DocumentWriter":
        return DocumentWriter(file_writer(storage, segment, DOCUMENTS_EXTENSION, sync=self._sync))

    def field_writer(self, storage: Any, segment: "ArraySegment") -> "TermWriter":
        return TermWriter(file_writer(storage, segment, TERMS_EXTENSION, sync=self._sync))

    def terms_reader(self, storage: Any, segment: "ArraySegment") -> "TermsReader":
        return TermsReader(open_terms(storage, segment))

    def per_document_reader(self, storage: Any, segment: "ArraySegment") -> "DocumentReader":
        return DocumentReader(storage, segment, open_documents(storage, segment))

    def new_segment(self, storage: Any, indexname: str) -> "ArraySegment":
        return ArraySegment(indexname)

    def supports_columns(self) -> bool:
        return True

    @classmethod
    def column_filename(cls, segment: base.Segment, fieldname: str) -> str:
        """Names the file in which Whoosh's add_sortable leaves the column of an existing segment."""
        import hashlib  # brings OpenSSL along, for a file that hardly any index has

        digest = hashlib.blake2b(fieldname.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        name: str = segment.make_filename(f".{digest}.col")
        return name


# Files --------------------------------------------------------------------------------------------


_KINDS = {DOCUMENTS_EXTENSION: "documents", TERMS_EXTENSION: "terms"}


def file_writer(storage: Any, segment: base.Segment, extension: str, *, sync: Sync | None = None) -> ContainerWriter:
    """Starts one of a segment's two files under a temporary name that it loses when it is complete."""
    name = segment.make_filename(extension)
    temporary = f"{name}.tmp"

    def publish(file: Any) -> None:
        if sync is not None:
            file.flush()
            sync(file)
        file.close()
        storage.rename_file(temporary, name)

    return ContainerWriter(lambda: storage.create_file(temporary), publish, kind=_KINDS[extension])


def open_terms(storage: Any, segment: base.Segment) -> TermFile:
    """Opens the terms of a segment."""
    with damage(segment.make_filename(TERMS_EXTENSION)):
        return TermFile(_open(storage, segment, TERMS_EXTENSION))


def open_documents(storage: Any, segment: base.Segment) -> DocumentFile:
    """Opens what a segment keeps by document."""
    with damage(segment.make_filename(DOCUMENTS_EXTENSION)):
        return DocumentFile(_open(storage, segment, DOCUMENTS_EXTENSION))


def _open(storage: Any, segment: base.Segment, extension: str) -> Container:
    name = segment.make_filename(extension)
    file = storage.open_file(name)
    try:
        if not storage.supports_mmap:
            return Container(file.read(), name, kind=_KINDS[extension])
        return Container.open(file, name, kind=_KINDS[extension])
    finally:
        file.close()


# The segment --------------------------------------------------------------------------------------


class ArraySegment(base.Segment):
    """A segment as the table of contents knows it: names, a document count and the deleted documents."""

    compound = False

    def __init__(self, indexname: str) -> None:
        self.indexname = indexname
        self.segid = self._random_id()
        self._doc_count = 0
        self._deleted: set[int] = set()

    def __getstate__(self) -> dict[str, str | int | bytes]:
        return {
            "index": self.indexname,
            "id": self.segid,
            "documents": self._doc_count,
            "deleted": pack_deletions(self._deleted, self._doc_count),
        }

    def __setstate__(self, state: object) -> None:
        self.indexname, self.segid, self._doc_count, self._deleted = check_segment_state(state)

    def codec(self, **_options: Any) -> ArrayCodec:
        return ArrayCodec()

    def should_assemble(self) -> bool:
        return False  # Whoosh's compound file has two pickles in it, and one mmap a file is cheap

    def set_doc_count(self, doccount: int) -> None:
        self._doc_count = doccount

    def doc_count_all(self) -> int:
        return self._doc_count

    def deleted_count(self) -> int:
        return len(self._deleted)

    def deleted_docs(self) -> Iterator[int]:
        return iter(self._deleted)

    def delete_document(self, docnum: int, delete: bool = True) -> None:
        if not 0 <= docnum < self._doc_count:
            raise IndexError(f"no document {docnum} among {self._doc_count} of segment {self.segment_id()}")
        if delete:
            self._deleted.add(docnum)
        else:
            self._deleted.discard(docnum)

    def is_deleted(self, docnum: int) -> bool:
        return docnum in self._deleted

    def live(self) -> NDArray[np.bool_]:
        """Returns one flag a document: False for the deleted."""
        flags = np.ones(self._doc_count, dtype=bool)
        flags[list(self._deleted)] = False
        return flags


# Documents: writing -------------------------------------------------------------------------------


class DocumentWriter(base.PerDocumentWriter):
    """Writes the documents file. A document counts when it is finished; a cancelled one leaves nothing."""

    def __init__(self, writer: ContainerWriter) -> None:
        self._writer = writer
        self._stored = StoredWriter(writer, STORED)
        self._doc_count = 0
        self._in_document = False
        self._fields: dict[str, Any] = {}
        self._pending: list[Callable[[], None]] = []
        self._lengths: dict[str, tuple[bytearray, list[int]]] = {}  # codes, and the exact sum
        self._columns: dict[str, _ColumnBuffer] = {}
        self._vectors: dict[str, _VectorBuffer] = {}
        self.is_closed = False

    def start_doc(self, docnum: int) -> None:
        if self._in_document:
            raise ValueError(f"document {docnum} started before document {self._doc_count} was finished")
        if docnum != self._doc_count:
            raise ValueError(f"document {docnum} started, the next is {self._doc_count}")
        self._in_document = True

    def add_field(self, fieldname: str, fieldobj: Any, value: Any, length: int | None) -> None:
        if value is not None:
            self._fields[fieldname] = value
        if length:
            self._pending.append(lambda: self._add_length(fieldname, length))

    def add_column_value(self, fieldname: str, columnobj: columns.Column, value: Any) -> None:
        self._pending.append(lambda: self._add_column_value(fieldname, columnobj, value))

    def add_vector_items(self, fieldname: str, fieldobj: Any, items: Iterable[tuple[str, float, bytes]]) -> None:
        rows = sorted(items, key=lambda item: item[0])
        if rows:
            self._pending.append(lambda: self._add_vector(fieldname, fieldobj.vector, rows))

    def finish_doc(self) -> None:
        line = encode_value(self._fields)
        for add in self._pending:
            add()
        self._stored.add(line)
        self._doc_count += 1
        self.cancel_doc()

    def cancel_doc(self) -> None:
        self._fields = {}
        self._pending = []
        self._in_document = False

    def close(self) -> None:
        if self.is_closed:
            return
        self.is_closed = True
        if self._in_document:
            self.finish_doc()
        self._stored.close()
        for field, (codes, total) in self._lengths.items():
            codes.extend(bytes(self._doc_count - len(codes)))
            write_lengths(self._writer, field, np.frombuffer(codes, dtype=np.uint8), total[0])
        for field, column in self._columns.items():
            column.write(self._writer, field, self._doc_count)
        for field, vector in self._vectors.items():
            vector.write(self._writer, field)
        self._writer.meta["documents"] = self._doc_count
        self._writer.close()

    def _add_length(self, fieldname: str, length: int) -> None:
        codes, total = self._lengths.setdefault(fieldname, (bytearray(), [0]))
        codes.extend(bytes(self._doc_count - len(codes)))
        codes.append(_code_of(length))
        total[0] += length

    def _add_column_value(self, fieldname: str, column: columns.Column, value: Any) -> None:
        if fieldname not in self._columns:
            self._columns[fieldname] = _ColumnBuffer(column)
        self._columns[fieldname].add(self._doc_count, value)

    def _add_vector(self, fieldname: str, format_: Any, rows: list[tuple[str, float, bytes]]) -> None:
        if fieldname not in self._vectors:
            self._vectors[fieldname] = _VectorBuffer(format_)
        self._vectors[fieldname].add(self._doc_count, rows)


def _code_of(length: int) -> int:
    return min(bisect_left(_LENGTHS, length), 255)


class _ColumnBuffer:
    """One column in Whoosh's own encoding until the number of documents is known."""

    def __init__(self, column: columns.Column) -> None:
        self._column = column
        self._buffer = BytesIO()
        self._writer = _without_pickles(column).writer(StructFile(self._buffer))

    def add(self, docnum: int, value: Any) -> None:
        self._writer.add(docnum, value)

    def write(self, writer: ContainerWriter, field: str, doc_count: int) -> None:
        self._writer.finish(doc_count)
        data = self._buffer.getvalue()
        column = self._column
        if type(column) is columns.NumericColumn and column._typecode in _NUMBERS:
            dtype = _NUMBERS[column._typecode]
            numbers = np.full(doc_count, column.default_value(), dtype=f"<{dtype}")
            given = np.frombuffer(data, dtype=f">{dtype}")
            numbers[: len(given)] = given
            write_number_column(writer, field, numbers)
        else:
            write_bytes_column(writer, field, data)


class _VectorBuffer:
    """The vectors of one field, until all their terms are known."""

    def __init__(self, format_: Any) -> None:
        self._values = ValueBuffer(format_)
        self._docs = array("q")
        self._counts = array("q")
        self._terms: dict[str, int] = {}  # numbered as they come
        self._numbers = array("q")
        self._weights = array("f")

    def add(self, docnum: int, rows: list[tuple[str, float, bytes]]) -> None:
        self._docs.append(docnum)
        self._counts.append(len(rows))
        for text, weight, value in rows:
            self._numbers.append(self._terms.setdefault(text, len(self._terms)))
            self._weights.append(weight)
            self._values.add(value)

    def write(self, writer: ContainerWriter, field: str) -> None:
        # Text sorts as its UTF-8 does, so ordinals rise within each vector.
        terms = sorted(self._terms)
        ordinals = np.zeros(len(terms), dtype=np.int32)
        ordinals[[self._terms[text] for text in terms]] = np.arange(len(terms), dtype=np.int32)
        data = self._values.data(
            np.array(self._counts, dtype=np.int64),
            ordinals[np.array(self._numbers, dtype=np.int64)],
            np.array(self._weights, dtype=np.float32),
            None,
        )
        encoded = [text.encode("utf-8", "surrogatepass") for text in terms]
        write_vectors(writer, field, np.array(self._docs, dtype=np.int64), encoded, data, kind=self._values.kind)


# Documents: reading -------------------------------------------------------------------------------


class DocumentReader(base.PerDocumentReader):
    """Answers Whoosh's questions about documents from the documents file."""

    def __init__(self, storage: Any, segment: ArraySegment, documents: DocumentFile) -> None:
        self._storage = storage
        self._segment = segment
        self.documents = documents
        self._loose_files: list[Any] = []
        self._codes: dict[str, memoryview] = {}
        self._name = documents.container.name
        self.is_closed = False
        expected = segment.doc_count_all()
        if expected != documents.doc_count and expected:
            raise corrupt(
                documents.container.name, f"holds {documents.doc_count} documents, the index lists {expected}"
            )

    def close(self) -> None:
        for file in self._loose_files:
            file.close()
        self._loose_files = []
        self._codes = {}
        self.documents.close()
        self.is_closed = True

    def doc_count(self) -> int:
        return self.documents.doc_count - self._segment.deleted_count()

    def doc_count_all(self) -> int:
        return self.documents.doc_count

    def has_deletions(self) -> bool:
        deleted: bool = self._segment.has_deletions()
        return deleted

    def is_deleted(self, docnum: int) -> bool:
        return self._segment.is_deleted(docnum)

    def deleted_docs(self) -> Iterator[int]:
        return self._segment.deleted_docs()

    # Columns

    def supports_columns(self) -> bool:
        return True

    def has_column(self, fieldname: str) -> bool:
        return fieldname in self.documents.columns or bool(self._storage.file_exists(self._loose_name(fieldname)))

    def list_columns(self) -> list[str]:
        return self.documents.columns.names()

    def column_reader(self, fieldname: str, column: columns.Column) -> columns.ColumnReader:
        stored = self.documents.columns
        with damage(self._name):
            if fieldname not in stored:
                return self._loose_column(fieldname, column)
            if stored.is_numbers(fieldname):
                return NumberColumnReader(stored.numbers(fieldname))
            data = stored.data(fieldname)
            file = _ColumnFile(data, self._name)
            reader = _without_pickles(column).reader(file, 0, len(data), self.documents.doc_count)
            return BytesColumnReader(reader, self._name)

    def _loose_name(self, fieldname: str) -> str:
        return ArrayCodec.column_filename(self._segment, fieldname)

    def _loose_column(self, fieldname: str, column: columns.Column) -> columns.ColumnReader:
        name = self._loose_name(fieldname)
        if _without_pickles(column) is not column:
            raise corrupt(
                name,
                f"a {type(column).__name__} outside the documents file holds pickles, which are not read",
            )
        file = self._storage.open_file(name)
        self._loose_files.append(file)
        return column.reader(file, 0, self._storage.file_length(name), self.documents.doc_count)

    # Lengths

    def doc_field_length(self, docnum: int, fieldname: str, default: int = 0) -> int:
        return self.doc_field_length_reader(fieldname, default)(docnum)

    def doc_field_length_reader(self, fieldname: str, default: int = 0) -> Callable[[int], int]:
        codes = self._codes.get(fieldname)
        if codes is None:
            if not self.documents.has_lengths(fieldname):
                return lambda docnum: default
            with damage(self._name):
                codes = self._codes[fieldname] = self.documents.length_codes(fieldname).data
        return lambda docnum: _LENGTHS[codes[docnum]] or default

    def field_length(self, fieldname: str) -> int:
        with damage(self._name):
            return self.documents.total_length(fieldname)

    def min_field_length(self, fieldname: str) -> int:
        with damage(self._name):
            return _LENGTHS[self.documents.length_extremes(fieldname)[0]]

    def max_field_length(self, fieldname: str) -> int:
        with damage(self._name):
            return _LENGTHS[self.documents.length_extremes(fieldname)[1]]

    # Vectors

    def has_vector(self, docnum: int, fieldname: str) -> bool:
        with damage(self._name):
            vectors = self.documents.vectors(fieldname)
            return vectors is not None and vectors.find(docnum) is not None

    def vector(self, docnum: int, fieldname: str, format_: Any) -> "ArrayMatcher":
        with damage(self._name):
            vectors = self.documents.vectors(fieldname)
            ordinal = None if vectors is None else vectors.find(docnum)
            if vectors is not None and ordinal is not None:
                texts = [
                    vectors.terms.term(number).decode("utf-8", "surrogatepass")
                    for number in vectors.lists.docs(ordinal).tolist()
                ]
                return ArrayMatcher(
                    _PostingList(vectors.lists, ordinal, vectors.kind, self._name),
                    texts,
                    format_,
                )
        raise LookupError(f"document {docnum} has no vector of field {fieldname!r}")

    # Stored fields

    def stored_fields(self, docnum: int) -> dict[str, Any]:
        with damage(self._name):
            stored = self.documents.stored
        fields = stored.fields(docnum)
        if not isinstance(fields, dict):
            raise corrupt(self._name, f"stored fields of document {docnum} are not an object")
        return fields


class NumberColumnReader(columns.ColumnReader):
    """A column of numbers that is a numpy array: `numbers`, one element a document."""

    def __init__(self, numbers: NDArray[Any]) -> None:
        self.numbers = numbers
        self._sign = 1

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, docnum: int) -> Any:
        return self.numbers[docnum].item()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.numbers.tolist())

    def sort_key(self, docnum: int) -> Any:
        return self._sign * self[docnum]

    def load(self) -> list[Any]:
        return list(self)

    def set_reverse(self) -> None:
        self._sign = -1


class BytesColumnReader(columns.ColumnReader):
    """A column in Whoosh's own encoding; what goes wrong in decoding it is damage to the file."""

    def __init__(self, reader: columns.ColumnReader, name: str) -> None:
        self._reader = reader
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._reader, attribute)

    def __len__(self) -> int:
        return len(self._reader)

    def __getitem__(self, docnum: int) -> Any:
        try:
            return self._reader[docnum]
        except ARITHMETIC as exc:  # without a context manager: sorting asks for every document
            raise corrupt(self._name, f"the column value of document {docnum} is damaged") from exc

    def sort_key(self, docnum: int) -> Any:
        try:
            return self._reader.sort_key(docnum)
        except ARITHMETIC as exc:
            raise corrupt(self._name, f"the column value of document {docnum} is damaged") from exc

    def __iter__(self) -> Iterator[Any]:
        with damage(self._name):
            yield from self._reader

    def load(self) -> Any:
        with damage(self._name):
            return self._reader.load()

    def set_reverse(self) -> None:
        self._reader.set_reverse()


class _ColumnFile(BufferFile):
    """A file over part of a mapping that is copied only if somebody reads it as a stream."""

    def __init__(self, view: memoryview, name: str) -> None:
        self._buf = view
        self._name = name
        self.onclose = None
        self.is_real = False
        self.is_closed = False

    @cached_property
    def file(self) -> BytesIO:
        return BytesIO(self._buf)


def _without_pickles(column: columns.Column) -> columns.Column:
    """Returns the column to use for one that Whoosh would write as pickles, others as they are."""
    if isinstance(column, columns.PickleColumn):
        return _ValueColumn(_without_pickles(column._child))
    if isinstance(column, columns.CompressedBlockColumn):
        return columns.VarBytesColumn()
    return column


class _ValueColumn(columns.WrappedColumn):
    """Any value that stored fields can hold, in the encoding of stored fields; stands in for PickleColumn."""

    class Writer(columns.WrappedColumnWriter):
        def add(self, docnum: int, value: Any) -> None:
            self._child.add(docnum, b"" if value is None else encode_value(value))

    class Reader(columns.WrappedColumnReader):
        def __getitem__(self, docnum: int) -> Any:
            data = self._child[docnum]
            return decode_value(data) if data else None

        def __iter__(self) -> Iterator[Any]:
            return (decode_value(data) if data else None for data in self._child)


# Terms: writing -----------------------------------------------------------------------------------


class TermWriter(base.FieldWriter):
    """Writes the terms file from postings in sorted order; holds one field in memory at a time."""

    def __init__(self, writer: ContainerWriter) -> None:
        self._writer = writer
        self._field: str | None = None
        self.is_closed = False

    def start_field(self, fieldname: str, fieldobj: Any) -> None:
        if self._field is not None:
            raise ValueError(f"field {fieldname!r} started before {self._field!r} was finished")
        self._field = fieldname
        self._values = ValueBuffer(fieldobj.format)
        self._terms: list[bytes] = []
        self._counts = array("q")
        self._docs = array("i")
        self._weights = array("f")
        self._lengths = array("q")

    def start_term(self, text: bytes) -> None:
        if self._field is None:
            raise ValueError(f"term {text!r} started outside a field")
        if self._terms and text <= self._terms[-1]:
            raise base.OutOfOrderError(f"term {self._field}:{text!r} after {self._terms[-1]!r}")
        self._terms.append(text)
        self._first = len(self._docs)

    def add(self, docnum: int, weight: float, vbytes: bytes, length: int | None) -> None:
        if docnum < 0 or (len(self._docs) > self._first and docnum < self._docs[-1]):
            raise base.OutOfOrderError(f"document {docnum} in term {self._field}:{self._terms[-1]!r}")
        self._docs.append(docnum)
        self._weights.append(weight)
        self._lengths.append(length or 0)
        self._values.add(vbytes)

    def finish_term(self) -> None:
        count = len(self._docs) - self._first
        if count:
            self._counts.append(count)
        else:
            self._terms.pop()

    def finish_field(self) -> None:
        if self._field is None:
            raise ValueError("field finished before it was started")
        if self._terms:
            lengths = encode_lengths(np.array(self._lengths, dtype=np.int64))
            data = self._values.data(
                np.array(self._counts, dtype=np.int64),
                np.array(self._docs, dtype=np.int32),
                np.array(self._weights, dtype=np.float32),
                lengths if lengths.any() else None,
            )
            write_field(self._writer, self._field, self._terms, data, kind=self._values.kind)
        self._field = None

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            self._writer.close()


# Terms: reading -----------------------------------------------------------------------------------


def _term_info(found: ListStatistics) -> TermInfo:
    return TermInfo(
        weight=found.weight,
        df=found.doc_frequency,
        minlength=_LENGTHS[found.min_length],
        maxlength=_LENGTHS[found.max_length],
        maxweight=found.max_weight,
        minid=found.first_doc,
        maxid=found.last_doc,
    )


class TermsReader(base.TermsReader):
    """Answers Whoosh's questions about terms from the terms file."""

    def __init__(self, file: TermFile) -> None:
        self.file = file
        self._name = file.container.name

    def close(self) -> None:
        self.file.close()

    def __contains__(self, term: tuple[str, bytes]) -> bool:
        return self._find(*term) is not None

    def indexed_field_names(self) -> list[str]:
        return self.file.field_names()

    def cursor(self, fieldname: str, fieldobj: Any) -> "TermCursor":
        return TermCursor(self._field(fieldname), fieldobj, self._name)

    def terms(self) -> Iterator[tuple[str, bytes]]:
        return self._terms_of(self.file.field_names())

    def terms_from(self, fieldname: str, prefix: bytes) -> Iterator[tuple[str, bytes]]:
        return self._terms_of(self._fields_from(fieldname), prefix)

    def items(self) -> Iterator[tuple[tuple[str, bytes], TermInfo]]:
        return self._items_of(self.file.field_names())

    def items_from(self, fieldname: str, prefix: bytes) -> Iterator[tuple[tuple[str, bytes], TermInfo]]:
        return self._items_of(self._fields_from(fieldname), prefix)

    def term_info(self, fieldname: str, text: bytes) -> TermInfo:
        field, ordinal = self._get(fieldname, text)
        with damage(self._name):
            return _term_info(field.lists.statistics(ordinal))

    def frequency(self, fieldname: str, text: bytes) -> float:
        found = self._find(fieldname, text)
        with damage(self._name):
            return found[0].lists.total_weight(found[1]) if found else 0

    def doc_frequency(self, fieldname: str, text: bytes) -> int:
        found = self._find(fieldname, text)
        with damage(self._name):
            return found[0].lists.doc_frequency(found[1]) if found else 0

    def matcher(self, fieldname: str, text: bytes, format_: Any, scorer: Any = None) -> "ArrayMatcher":
        field, ordinal = self._get(fieldname, text)
        with damage(self._name):
            postings = _PostingList(field.lists, ordinal, field.kind, self._name)
            return ArrayMatcher(postings, field.lists.docs(ordinal), format_, scorer=scorer, term=(fieldname, text))

    def _field(self, fieldname: str) -> FieldTerms | None:
        with damage(self._name):
            return self.file.field(fieldname)

    def _find(self, fieldname: str, text: bytes) -> tuple[FieldTerms, int] | None:
        field = self._field(fieldname)
        if field is None:
            return None
        with damage(self._name):
            ordinal = field.terms.find(text)
        return None if ordinal is None else (field, ordinal)

    def _get(self, fieldname: str, text: bytes) -> tuple[FieldTerms, int]:
        found = self._find(fieldname, text)
        if found is None:
            raise TermNotFound(f"no term {fieldname}:{text!r}")
        return found

    def _fields_from(self, fieldname: str) -> list[str]:
        names = self.file.field_names()
        return names[names.index(fieldname) :] if fieldname in names else []

    def _runs_of(self, names: list[str], prefix: bytes) -> Iterator[tuple[str, FieldTerms, int, int]]:
        """Yields runs of terms, from the prefix on in the first field and whole in the following ones."""
        for name in names:
            field = self._field(name)
            if field is None:
                continue
            first = field.terms.lower_bound(prefix) if name == names[0] else 0
            for start in range(first, len(field.terms), _TERMS_AT_ONCE):
                yield name, field, start, min(start + _TERMS_AT_ONCE, len(field.terms))

    def _terms_of(self, names: list[str], prefix: bytes = b"") -> Iterator[tuple[str, bytes]]:
        for name, field, first, last in self._runs_of(names, prefix):
            with damage(self._name):
                terms = field.terms.terms(first, last)
            for term in terms:
                yield name, term

    def _items_of(self, names: list[str], prefix: bytes = b"") -> Iterator[tuple[tuple[str, bytes], TermInfo]]:
        for name, field, first, last in self._runs_of(names, prefix):
            with damage(self._name):
                terms = field.terms.terms(first, last)
                found = [_term_info(row) for row in field.lists.statistics_of_lists(first, last)]
            for term, info in zip(terms, found, strict=True):
                yield (name, term), info


class TermCursor(base.FieldCursor):
    """Walks the terms of a field in order; text() is None past the last."""

    def __init__(self, field: FieldTerms | None, fieldobj: Any, name: str) -> None:
        self._field = field
        self._fieldobj = fieldobj
        self._name = name
        self._count = 0 if field is None else len(field.terms)
        self._run: list[bytes] = []
        self._run_start = 0
        self._move(0)

    def first(self) -> Any:
        return self._move(0)

    def find(self, string: str | bytes) -> Any:
        if self._field is None:
            return None
        term = string if isinstance(string, bytes) else self._fieldobj.to_bytes(string)
        with damage(self._name):
            return self._move(self._field.terms.lower_bound(term))

    def next(self) -> Any:
        return self._move(self._ordinal + 1)

    def text(self) -> Any:
        return self._text

    def term_info(self) -> TermInfo | None:
        if self._field is None or not self.is_valid():
            return None
        with damage(self._name):
            return _term_info(self._field.lists.statistics(self._ordinal))

    def is_valid(self) -> bool:
        return self._ordinal < self._count

    def _move(self, ordinal: int) -> Any:
        self._ordinal = min(ordinal, self._count)
        if self._field is None or self._ordinal == self._count:
            self._text = None
            return None
        if not self._run_start <= ordinal < self._run_start + len(self._run):
            with damage(self._name):
                self._run = self._field.terms.terms(ordinal, ordinal + 64)
            self._run_start = ordinal
        self._text = self._fieldobj.from_bytes(self._run[ordinal - self._run_start])
        return self._text


class _PostingList:
    """One posting list as matchers need it: Python numbers, block by block, decoded when asked for."""

    def __init__(self, lists: PostingLists, ordinal: int, kind: str, name: str) -> None:
        self.lists = lists
        self.ordinal = ordinal
        self.kind = kind
        self.name = name

    @cached_property
    def weights(self) -> NDArray[np.float32]:
        with damage(self.name):
            return self.lists.weights(self.ordinal)

    @cached_property
    def block_statistics(self) -> tuple[list[float], list[int], list[int]]:
        """Maximum weight, shortest and longest length of each block."""
        with damage(self.name):
            blocks = self.lists.blocks(self.ordinal)
            if blocks is None:
                found = self.lists.statistics(self.ordinal)
                return [found.max_weight], [_LENGTHS[found.min_length]], [_LENGTHS[found.max_length]]
            weights, shortest, longest = blocks
            none = np.zeros(len(weights), dtype=np.uint8)
            return (
                weights.astype(np.float64).tolist(),
                LENGTHS[none if shortest is None else shortest].tolist(),
                LENGTHS[none if longest is None else longest].tolist(),
            )


class ArrayMatcher(LeafMatcher):
    """Walks one posting list, or one term vector, whose ids are texts.

    docs, the whole list as an array, is there for callers that need not walk.
    """

    def __init__(
        self,
        postings: _PostingList,
        docs: NDArray[np.int32] | list[str],
        format_: Any,
        *,
        scorer: Any = None,
        term: tuple[str, bytes] | None = None,
    ) -> None:
        self._postings = postings
        self.docs = docs
        self.format = format_
        self.scorer = scorer
        self._term = term
        self._values = ListValues(postings.lists, postings.ordinal, postings.kind, format_, postings.name)
        self._count = len(docs)
        self._index = 0
        self._block_start = -1
        self._block_end = 0
        self._ids: list[Any] = []
        self._block_weights: list[float] | None = None
        self._move(0)

    def copy(self) -> "ArrayMatcher":
        twin = ArrayMatcher(self._postings, self.docs, self.format, scorer=self.scorer, term=self._term)
        twin._values = self._values
        twin._move(self._index)
        return twin

    def reset(self) -> None:
        self._move(0)

    def is_active(self) -> bool:
        return self._index < self._count

    def id(self) -> Any:
        return self._ids[self._index - self._block_start]

    def weight(self) -> float:
        if self._block_weights is None:
            end = self._block_start + BLOCK
            self._block_weights = self._postings.weights[self._block_start : end].tolist()
        weight: float = self._block_weights[self._index - self._block_start]
        return weight

    def value(self) -> bytes:
        with damage(self._postings.name):
            return self._values.value(self._index)

    def value_as(self, astype: str) -> Any:
        with damage(self._postings.name):
            shape = self._values.shape(self._index, astype)
        return self.format.decoder(astype)(self.value()) if shape is None else shape

    def items_as(self, astype: str) -> Iterator[tuple[Any, Any]]:
        while self.is_active():
            yield self.id(), self.value_as(astype)
            self.next()

    def all_ids(self) -> Iterator[Any]:
        return iter(self.docs if isinstance(self.docs, list) else self.docs.tolist())

    def all_items(self) -> Iterator[tuple[Any, bytes]]:
        while self.is_active():
            yield self.id(), self.value()
            self.next()

    def next(self) -> bool:
        index = self._index + 1
        if index < self._block_end:
            self._index = index
            return False
        if not self.is_active():
            raise ReadTooFar
        self._move(index)
        return True

    def skip_to(self, id: Any) -> None:  # noqa: A002 - Whoosh's name
        if not self.is_active():
            raise ReadTooFar
        if id > self.id():
            # ids between here and the end of the block are the likely case, and a list is quicker than numpy
            if id <= self._ids[-1]:
                self._index = self._block_start + bisect_left(self._ids, id, self._index - self._block_start)
            elif isinstance(self.docs, list):
                self._move(bisect_left(self.docs, id))
            elif id >= 2**31:
                self._move(self._count)
            else:  # a key of another dtype would make numpy convert the whole list
                self._move(int(self.docs.searchsorted(np.int32(id))))

    def skip_to_quality(self, minquality: float) -> int:
        skipped = 0
        while self.is_active() and self.block_quality() <= minquality:
            self._move(self._block_end)
            skipped += 1
        return skipped

    # Statistics of the current block, and of the last one when exhausted: an intersection asks then too.

    def block_min_id(self) -> Any:
        return self._ids[0]

    def block_max_id(self) -> Any:
        return self._ids[-1]

    def block_min_length(self) -> int:
        return self._postings.block_statistics[1][self._block_start // BLOCK]

    def block_max_length(self) -> int:
        return self._postings.block_statistics[2][self._block_start // BLOCK]

    def block_max_weight(self) -> float:
        return self._postings.block_statistics[0][self._block_start // BLOCK]

    def _move(self, index: int) -> None:
        self._index = index
        start = min(index, self._count - 1) // BLOCK * BLOCK
        if start != self._block_start:
            ids = self.docs[start : start + BLOCK]
            self._ids = ids if isinstance(ids, list) else ids.tolist()
            self._block_weights = None
            self._block_start = start
            self._block_end = start + len(self._ids)
