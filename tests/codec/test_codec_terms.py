"""Term dictionaries: lookup by term, by place and by prefix."""

from bisect import bisect_left
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit.codec import packed
from searchkit.codec.container import Container, ContainerWriter
from searchkit.codec.packed import write_offsets, write_packed
from searchkit.codec.term_index import TermIndex
from searchkit.codec.terms import INDEX_AFTER, UNPACKED_PER_FIND, TermDictionary, TermsWriter, write_terms
from searchkit.errors import IndexCorrupt

Open = Callable[..., Container]

alike = st.builds(lambda n, tail: b"a" * n + tail, st.sampled_from([0, 1, 5, 250, 260]), st.binary(max_size=3))
terms_of = st.sets(st.one_of(st.binary(max_size=4), alike), max_size=60).map(sorted)
many = st.integers(60, 300).map(lambda n: sorted({b"%d" % (i * 7919 % 100_003) for i in range(n)}))


@settings(deadline=None)
@given(terms=st.one_of(terms_of, many), probe=st.binary(max_size=9), asked_before=st.booleans(), data=st.data())
def test_a_dictionary_is_a_sorted_list(
    container: Open, terms: list[bytes], probe: bytes, asked_before: bool, data: st.DataObject
) -> None:
    """All ways to look terms up do what a sorted list does, at first and when a dictionary has been asked often."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("searchkit.codec.terms.FEW_AT", data.draw(st.sampled_from([0, 32])))
        patch.setattr("searchkit.codec.term_index._READ_WHOLE", data.draw(st.sampled_from([-100, 16])))
        patch.setattr("searchkit.codec.term_index._LISTED", data.draw(st.sampled_from([-1, 4096])))
        _check_dictionary(container, terms, probe, asked_before, data)


def _check_dictionary(
    container: Open, terms: list[bytes], probe: bytes, asked_before: bool, data: st.DataObject
) -> None:
    dictionary = TermDictionary(container(lambda w: write_terms(w, "t", terms)), "t")
    for _ in range(INDEX_AFTER if asked_before else 0):
        dictionary.lower_bound(b"a")
    first = data.draw(st.integers(0, len(terms)))
    last = data.draw(st.integers(0, len(terms)))
    assert dictionary.terms(first, last) == terms[first:last]
    assert [dictionary.term(place) for place in range(len(terms))] == terms
    joined, lengths = dictionary.joined()
    assert joined.tobytes() == b"".join(terms)
    assert lengths.tolist() == [len(term) for term in terms]
    if first <= last:
        joined, lengths = dictionary.joined(first, last)
        assert joined.tobytes() == b"".join(terms[first:last])
        assert lengths.tolist() == [len(term) for term in terms[first:last]]
    if terms:
        places = data.draw(st.lists(st.integers(0, len(terms) - 1), max_size=9))
        assert dictionary.at(np.array(places, dtype=np.int64)) == [terms[place] for place in places]
    texts = [probe, *terms[:3], *terms[-2:], b"", b"\0", b"\xff", b"\xff\xff\xff\xff\xff", b"a" * 8, b"a" * 9]
    pairs = [*pairwise(sorted({*texts, b"a\x80", b"a\xff"})), (b"\xff", b"")]
    runs = [(bisect_left(terms, first), bisect_left(terms, end)) for first, end in pairs]
    found = dictionary.between([bound for pair in pairs for bound in pair])
    assert found == [(low, terms[low:high]) for low, high in runs if low < high]
    assert dictionary.find_all(texts) == [terms.index(text) if text in terms else None for text in texts]
    for text in texts:
        assert dictionary.lower_bound(text) == bisect_left(terms, text)
        assert dictionary.find(text) == (terms.index(text) if text in terms else None)
        low, high = dictionary.prefix_range(text)
        assert terms[low:high] == [term for term in terms if term.startswith(text)]


@settings(deadline=None)
@given(terms=st.one_of(terms_of, many), others=st.one_of(terms_of, many), data=st.data())
def test_hashes_tell_terms_apart(container: Open, terms: list[bytes], others: list[bytes], data: st.DataObject) -> None:
    """A term has the same hash in every dictionary and in every range of one, and no other term has it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("searchkit.codec.terms._SUMMED_AT_ONCE", data.draw(st.sampled_from([8, 16, 4096])))
        dictionary = TermDictionary(container(lambda w: write_terms(w, "t", terms)), "t")
        other = TermDictionary(container(lambda w: write_terms(w, "t", others)), "t")
        of_terms, of_others = dictionary.hashes().tolist(), other.hashes().tolist()
        assert len(of_terms) == len(terms)
        assert len(set(of_terms) | set(of_others)) == len(set(terms) | set(others))
        assert dict(zip(terms, of_terms, strict=True)) | dict(zip(others, of_others, strict=True)) == dict(
            zip(others, of_others, strict=True)
        ) | dict(zip(terms, of_terms, strict=True))
        first, last = sorted(data.draw(st.lists(st.integers(0, len(terms)), min_size=2, max_size=2)))
        assert dictionary.hashes(first, last).tolist() == of_terms[first:last]
        beyond = [not term.isascii() for term in terms]
        assert dictionary.beyond_ascii().tolist() == beyond
        assert dictionary.beyond_ascii(first, last).tolist() == beyond[first:last]


def test_zeros_at_the_end_make_another_term(container: Open) -> None:
    """Bytes of zero change the hash of a term."""
    terms = [b"", b"\0", b"\0\0", b"a", b"a\0"]
    dictionary = TermDictionary(container(lambda w: write_terms(w, "t", terms)), "t")
    assert len(set(dictionary.hashes().tolist())) == len(terms)


@settings(deadline=None)
@given(
    terms=st.one_of(terms_of, many),
    cuts=st.lists(st.integers(0, 300), max_size=6),
    kept=st.sampled_from([0, 40, packed.KEPT_BYTES]),
    at_once=st.booleans(),
)
def test_terms_in_pieces_make_the_dictionary(
    container: Open, terms: list[bytes], cuts: list[int], kept: int, at_once: bool
) -> None:
    """However the terms are cut, kept until the end, put aside or neither, they are coded byte for byte as at once."""
    whole = container(lambda w: write_terms(w, "t", terms))

    def write(writer: ContainerWriter) -> None:
        pieces = TermsWriter(writer, "t", TermDictionary(whole, "t").widths(), at_once=at_once)
        for first, last in pairwise([0, *sorted(min(cut, len(terms)) for cut in cuts), len(terms)]):
            lengths = np.array([len(term) for term in terms[first:last]], dtype=np.int64)
            pieces.extend(np.frombuffer(b"".join(terms[first:last]), dtype=np.uint8), lengths)
        pieces.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "KEPT_BYTES", kept)
        cut = container(write)
    assert cut.names() == whole.names()
    assert all(cut.array(name).tobytes() == whole.array(name).tobytes() for name in whole.names())
    assert cut.meta == whole.meta


def test_few_terms_are_found_one_by_one(container: Open) -> None:
    """In a large dictionary one term is found as many are."""
    terms = sorted(b"%d" % n for n in range(2 * UNPACKED_PER_FIND))
    dictionary = TermDictionary(container(lambda w: write_terms(w, "t", terms)), "t")
    assert dictionary.find_all([b"2000"]) == [terms.index(b"2000")]
    assert dictionary.find_all([b"x", b"1", b"2000"]) == [None, terms.index(b"1"), terms.index(b"2000")]


def test_terms_that_begin_alike_are_found_as_fast(container: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ten thousand addresses one is found with some ten looks, not with one for each that stands before it."""
    terms = sorted(b"https://archive.example/2017/%d" % n for n in range(10_000))
    dictionary = TermDictionary(container(lambda w: write_terms(w, "t", terms)), "t")
    for _ in range(INDEX_AFTER):
        dictionary.lower_bound(b"a")
    looks = 0
    head_of = TermIndex._head

    def counted(index: TermIndex, block: int) -> bytes:
        nonlocal looks
        looks += 1
        return head_of(index, block)

    monkeypatch.setattr(TermIndex, "_head", counted)
    assert [dictionary.find(terms[place]) for place in range(0, 10_000, 1000)] == [*range(0, 10_000, 1000)]
    assert 0 < looks <= 10 * 12


def test_a_term_outside_is_corrupt(container: Open) -> None:
    """A place that the dictionary does not have is damage."""
    dictionary = TermDictionary(container(lambda w: write_terms(w, "t", [b"a", b"b"])), "t")
    with pytest.raises(IndexCorrupt):
        dictionary.term(2)


def test_terms_that_begin_alike_take_less_room(container: Open) -> None:
    """Addresses of one site are stored without what they have in common."""
    terms = sorted(b"https://archive.example/2017/%d" % n for n in range(1000))
    opened = container(lambda w: write_terms(w, "t", terms))
    assert opened.size_of("t") + opened.size_of("t/prefix") < sum(map(len, terms)) * 0.3


@pytest.mark.parametrize("prefixes", [[0, 5, 0], [1, 0, 0], [0, 255, 1], [0, 1]])
def test_impossible_prefixes_are_corrupt(container: Open, prefixes: list[int]) -> None:
    """A term that shares more with its head than that has, or a head that shares anything, is damage."""

    def write(writer: ContainerWriter) -> None:
        writer.add_bytes("t", b"abcabcabc")
        write_offsets(writer, "t/length", np.array([3, 3, 3]))
        write_packed(writer, "t/prefix", np.array(prefixes))

    opened = container(write)
    for read in (
        lambda: TermDictionary(opened, "t").joined(),
        lambda: TermDictionary(opened, "t").terms(0, 3),
        lambda: TermDictionary(opened, "t").hashes(),
        lambda: TermDictionary(opened, "t").at(np.arange(3)),
        lambda: TermDictionary(opened, "t").find_all([b"abc"]),
        lambda: [dictionary.find(b"abc") for dictionary in [TermDictionary(opened, "t")] for _ in range(INDEX_AFTER)],
    ):
        with pytest.raises(IndexCorrupt):
            read()
