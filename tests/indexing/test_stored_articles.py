"""Articles on their way into a segment and between processes stay what they are."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from searchkit.article import Article
from searchkit.codec.stored import decode_value, encode_value
from searchkit.indexing.builder import stored_line
from searchkit.indexing.worker import _stored

moments = st.none() | st.dates() | st.datetimes(timezones=st.sampled_from([None, UTC, timezone(timedelta(hours=-7))]))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.text(alphabet="a\ud800", max_size=3)
    | st.dates()
    | st.binary(max_size=3)
    | st.decimals(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.text(max_size=3) | st.sampled_from(["!date", "!"]) | st.integers(), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.text(min_size=1, max_size=9), moments, st.dictionaries(st.text("!ab", max_size=3), values, max_size=3))
def test_what_is_stored_of_an_article_is_all_of_it(title: str, moment: date | None, extra: dict[str, Any]) -> None:
    """Written the quick way or not, the stored fields come back as those of the generic writer do."""
    article = Article("a", f"x{title}", published=moment, topics=[title, "b"], updated=moment, extra=extra)
    line = stored_line(article)

    assert decode_value(line) == decode_value(encode_value({"article": article.to_dict()}))
    assert decode_value(line) == {"article": article.to_dict()} == _stored(line)


def test_offsets_of_seconds_are_kept() -> None:
    """A local time before time zones, as in an old newspaper, keeps its odd offset from UTC."""
    zone = timezone(timedelta(minutes=19, seconds=32))
    article = Article("a", "t", published=datetime(1910, 1, 2, 3, 4, tzinfo=zone))

    assert Article(**decode_value(stored_line(article))["article"]) == article
