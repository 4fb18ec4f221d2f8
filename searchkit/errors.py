"""Every error searchkit raises on purpose.

    SearchkitError
    ├── UserError              something the caller can put right in what was passed
    │   ├── ArticleError       an article that cannot be indexed: no id, no text, a nonsense date
    │   ├── SourceError        a path that cannot be read as articles
    │   ├── SettingsError      a setting with an unusable name or value
    │   ├── RequestError       a search parameter with an unusable value: sort, limit, a date bound
    │   ├── CursorError        a cursor that is damaged or belongs to another search
    │   ├── UnknownArticle     an article id that the archive does not hold
    │   └── MissingExtra       a feature whose optional packages are not installed
    └── ArchiveError           the index on disk
        ├── IndexMissing       there is no index at the place named
        ├── IndexExists        there is one where a new one was to be made
        ├── IndexLocked        another process is writing
        ├── IndexUnwritable    the disk failed or is full while writing
        ├── IndexTooOld        written by a version whose format is no longer read
        ├── IndexTooNew        written by a later version
        └── IndexCorrupt       files that are damaged or not an index of ours

A message has the value, the place and the next step. What a reader types into a search box is never an
error: the query layer reads anything and says what it understood.
"""


class SearchkitError(Exception):
    """Any error raised by searchkit on purpose; catch this to catch them all."""


class UserError(SearchkitError):
    """The caller passed something that cannot be used and can be put right."""


class ArticleError(UserError):
    """An article cannot be indexed: it has no id, no text, or a field of the wrong kind."""


class SourceError(UserError):
    """A path cannot be read as articles, or articles were skipped under ``--strict``."""


class SettingsError(UserError):
    """A setting has an unknown name or an unusable value."""


class RequestError(UserError):
    """A search parameter has an unusable value: a sort order, a limit, a date bound."""


class CursorError(UserError):
    """A cursor is damaged or was made by a different search."""


class UnknownArticle(UserError):
    """The archive holds no article with this id."""


class MissingExtra(UserError):
    """A feature needs optional packages that are not installed."""


class ArchiveError(SearchkitError):
    """Something about the index on disk."""


class IndexMissing(ArchiveError):
    """There is no index at the place named."""


class IndexExists(ArchiveError):
    """There is an index already at the place where a new one was to be made."""


class IndexLocked(ArchiveError):
    """Another process holds the write lock."""


class IndexUnwritable(ArchiveError):
    """The disk failed, or is full, while the index was being written."""


class IndexTooOld(ArchiveError):
    """The index was written in a format that this version no longer reads."""


class IndexTooNew(ArchiveError):
    """The index was written by a later version of searchkit."""


class IndexCorrupt(ArchiveError):
    """Files of the index are damaged, or the folder holds an index of something else."""
