"""Term vectors: for one document and field, its terms with weights, occurrences and positions.

A vector is a posting list turned round, so it is stored as one: lists are the documents that have a vector,
and the numbers in them are ordinals in a dictionary of the field's vector terms.

Arrays: vector/<i>/term (dictionary), vector/<i>/doc (u4: the documents that have a vector, rising),
vector/<i>/list (posting lists); meta["vectors"] maps a field name to [i, kind].
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.codec.container import Container, ContainerWriter
from searchkit.codec.posting_writer import PostingData, write_postings
from searchkit.codec.postings import PostingLists
from searchkit.codec.terms import TermDictionary, write_terms


def write_vectors(
    writer: ContainerWriter,
    field: str,
    docs: NDArray[np.int64],
    terms: list[bytes],
    data: PostingData,
    *,
    kind: str,
) -> None:
    """Writes a field's vectors: for each of docs a list in data, of ordinals in the sorted terms."""
    fields = writer.meta.setdefault("vectors", {})
    name = f"vector/{len(fields)}"
    fields[field] = [len(fields), kind]
    write_terms(writer, f"{name}/term", terms)
    writer.add(f"{name}/doc", docs.astype(np.uint32))
    write_postings(writer, f"{name}/list", data)


class Vectors:
    """Reads the vectors of one field."""

    def __init__(self, container: Container, field: str) -> None:
        number, kind = container.section("vectors")[field]
        name = f"vector/{number}"
        self.kind: str = kind
        self._docs: NDArray[Any] = container.array(f"{name}/doc")
        self.terms = TermDictionary(container, f"{name}/term")
        self.lists = PostingLists(container, f"{name}/list")

    def find(self, docnum: int) -> int | None:
        """Returns which list is the vector of a document, or None when it has none."""
        place = int(self._docs.searchsorted(np.uint32(docnum)))  # another dtype would convert the array
        return place if place < len(self._docs) and self._docs[place] == docnum else None
