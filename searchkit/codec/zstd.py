"""Zstandard: the standard library's from Python 3.14 on, its backport before."""

import sys

if sys.version_info >= (3, 14):
    from compression.zstd import (
        CompressionParameter,
        ZstdCompressor,
        ZstdDecompressor,
        ZstdDict,
        ZstdError,
        finalize_dict,
    )
else:
    from backports.zstd import (
        CompressionParameter,
        ZstdCompressor,
        ZstdDecompressor,
        ZstdDict,
        ZstdError,
        finalize_dict,
    )

__all__ = ["CompressionParameter", "ZstdCompressor", "ZstdDecompressor", "ZstdDict", "ZstdError", "finalize_dict"]
