"""Which segments a commit merges: a pure function of how many articles each has.

Searching likes few segments, and writing likes to leave alone what is there. Small segments, of less than 1,000
articles, come from single additions; there may be 6 of them. Of large ones there may be 6, and 5 after a load of 10,000
articles or more if that costs no more than rewriting as many as were loaded.

When there are too many small ones, the smallest become one, and with them all up to the first that is several times as
large as those before it: as in a log-structured merge tree (O'Neil et al., 1996) an article is rewritten a logarithmic
number of times. Of large ones the smallest two that are alike become one. In simulations this was better than
always taking the merge that removes most segments for its work, or the smallest, which in the end rewrites a large
segment for every few articles.
"""

from collections.abc import Sequence

LARGE = 1_000
LOAD = 10_000
MOST_SMALL = 6
MOST_LARGE = 6
MOST_LARGE_LOADED = 5
AT_ONCE = 25_000
"""Articles that a commit of a few may rewrite, about a second's work, when that is enough."""

_RATIO = 4
_LEAST_SMALL = 4
"""Small segments that a merge takes at least: it takes as long for two tiny ones as for four."""

_LARGEST_PART = 4
"""A load merges into segments of at most this part of the archive, so that none outgrows the others by far."""

_LARGEST_LEAST = 50_000
"""But of as many articles as this in any case, so that a merge of the smallest is enough."""


def segments_to_merge(sizes: Sequence[int], added: int) -> list[list[int]]:
    """The groups of segments that a commit merges, each into one, given the live articles of all segments.

    ``sizes`` includes the segments that the commit itself brings, of ``added`` articles together. The groups have
    indexes of ``sizes``, two or more and each only once. A commit of a few articles merges one group at most, and
    leaves no more than `MOST_SMALL` + `MOST_LARGE` segments when there were no more before it.
    """
    order = sorted(range(len(sizes)), key=sizes.__getitem__)
    small = [index for index in order if sizes[index] < LARGE]
    large = [index for index in order if sizes[index] >= LARGE]
    groups = []
    if len(small) > MOST_SMALL:
        groups.append(_chain(small, sizes, max(_LEAST_SMALL, len(small) - MOST_SMALL + 1), _RATIO))
    if added >= LOAD:
        groups += _balanced(large, sizes, added)
    elif len(large) > MOST_LARGE and not groups:
        groups.append(_chain(_from_two_alike(large, sizes), sizes, len(large) - MOST_LARGE + 1, 1))
    return groups


def _chain(order: Sequence[int], sizes: Sequence[int], least: int, ratio: int) -> list[int]:
    """The ``least`` smallest segments, and those after them that are not ``ratio`` times as large as all before."""
    together = 0
    for count, index in enumerate(order):
        if count >= least and (sizes[index] > ratio * together or together + sizes[index] > AT_ONCE):
            return list(order[:count])
        together += sizes[index]
    return list(order)


def _from_two_alike(order: Sequence[int], sizes: Sequence[int]) -> Sequence[int]:
    """The segments from the first on that is not much smaller than the next; all when there is none."""
    for start in range(len(order) - 1):
        if sizes[order[start + 1]] <= 2 * sizes[order[start]]:
            return order[start:]
    return order


def _balanced(order: Sequence[int], sizes: Sequence[int], added: int) -> list[list[int]]:
    """Groups of the smallest segments that leave `MOST_LARGE_LOADED`, or `MOST_LARGE` where that is too much work."""
    largest = max(sum(sizes[index] for index in order) // _LARGEST_PART, _LARGEST_LEAST)
    waiting = list(order)
    left = len(order)
    work = 0
    groups: list[list[int]] = []
    while left > MOST_LARGE_LOADED and len(waiting) > 1:
        group = [waiting.pop(0), waiting.pop(0)]
        together = sizes[group[0]] + sizes[group[1]]
        while waiting and left - len(group) >= MOST_LARGE_LOADED and together + sizes[waiting[0]] <= largest:
            together += sizes[waiting[0]]
            group.append(waiting.pop(0))
        work += together
        if work > max(added, AT_ONCE) and left <= MOST_LARGE:
            break
        left -= len(group) - 1
        groups.append(group)
    return groups
