"""Arrays on disk: a Whoosh codec of flat, memory-mapped numpy arrays. FORMAT.md describes the bytes."""

from searchkit.codec.container import FORMAT_VERSION, OLDEST_READABLE
from searchkit.codec.whoosh_codec import ArrayCodec, ArraySegment

__all__ = ["FORMAT_VERSION", "OLDEST_READABLE", "ArrayCodec", "ArraySegment"]
