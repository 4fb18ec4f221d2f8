"""Term dictionaries: lookup by term, by place and by prefix."""

from bisect import bisect_left
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit.codec.container import Container
from searchkit.codec.terms import TermDictionary, write_terms
from searchkit.errors import IndexCorrupt

Open = Callable[..., Container]

terms_of = st.sets(st.binary(max_size=4), max_size=60).map(sorted)
many = st.integers(60, 300).map(lambda n: sorted({b"%d" % (i * 7919 % 100_003) for i in range(n)}))


@settings(deadline=None)
@given(terms=st.one_of(terms_of, many), probe=st.binary(max_size=4), data=st.data())
def test_a_dictionary_is_a_sorted_list(container: Open, terms: list[bytes], probe: bytes, data: st.DataObject) -> None:
    """find, lower_bound, prefix_range, term and terms do what a sorted list does."""
    dictionary = TermDictionary(container(lambda w: write_terms(w, "t", terms)), "t")
    first = data.draw(st.integers(0, len(terms)))
    last = data.draw(st.integers(0, len(terms)))
    assert dictionary.terms(first, last) == terms[first:last]
    assert [dictionary.term(place) for place in range(len(terms))] == terms
    for text in [probe, *terms[:3], *terms[-2:], b"", b"\xff", b"\xff\xff\xff\xff\xff"]:
        assert dictionary.lower_bound(text) == bisect_left(terms, text)
        assert dictionary.find(text) == (terms.index(text) if text in terms else None)
        low, high = dictionary.prefix_range(text)
        assert terms[low:high] == [term for term in terms if term.startswith(text)]


def test_a_term_outside_is_corrupt(container: Open) -> None:
    """A place that the dictionary does not have is damage."""
    dictionary = TermDictionary(container(lambda w: write_terms(w, "t", [b"a", b"b"])), "t")
    with pytest.raises(IndexCorrupt):
        dictionary.term(2)
