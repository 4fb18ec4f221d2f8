"""Reading every file of the index to find damage before it becomes a wrong answer."""

from collections.abc import Iterator
from pathlib import Path

from searchkit.errors import ArchiveError
from searchkit.indexing import store
from searchkit.indexing.generations import ArchiveIndex, table_name
from searchkit.indexing.segments import verify_segment
from searchkit.page.model import Problem, Verification

_ATTEMPTS = 5


def verify_index(index: ArchiveIndex) -> Verification:
    """Read every file of every generation in the folder; the articles of the newest are counted.

    Commits go on meanwhile: when one removes what is being read, the reading starts again.
    """
    for _ in range(_ATTEMPTS):
        before = index.storage.generations(index.indexname)
        found = _verified(index, before)
        if found.ok or index.storage.generations(index.indexname) == before:
            break
    return found


def _verified(index: ArchiveIndex, generations: tuple[int, ...]) -> Verification:
    problems = list(_settings_problems(Path(index.storage.folder)))
    files = {store.SETTINGS_NAME}
    segments = {}
    for generation in generations:
        name = table_name(index.indexname, generation)
        files.add(name)
        try:
            listed = index.contents_of(generation).segments
        except (ArchiveError, OSError) as exc:
            problems.append(Problem(name, str(exc)))
            continue
        segments.update({segment.segment_id(): segment for segment in listed})
    for segment in segments.values():
        files.update(segment.list_files(index.storage))
        problems.extend(verify_segment(index.storage, segment))
    articles = 0
    if not problems:
        articles, repeated = _count(index)
        problems.extend(repeated)
    return Verification(articles, len(files), tuple(problems))


def _settings_problems(folder: Path) -> Iterator[Problem]:
    try:
        store.made_with(folder)
    except ArchiveError as exc:
        yield Problem(store.SETTINGS_NAME, str(exc))


def _count(index: ArchiveIndex) -> tuple[int, list[Problem]]:
    """How many articles the newest generation has, and what is wrong with their ids."""
    table = table_name(index.indexname, index.latest_generation())
    ids: set[str] = set()
    problems = []
    with index.reader() as reader:
        for docnum in reader.all_doc_ids():
            try:
                article_id = reader.stored_fields(docnum)["article"]["id"]
            except (ValueError, LookupError, TypeError) as exc:
                problems.append(Problem(table, f"document {docnum} holds no article ({exc})"))
                continue
            if article_id in ids:
                problems.append(Problem(table, f"the article {article_id!r} is there twice"))
            ids.add(article_id)
        count = reader.doc_count()
    return count, problems
