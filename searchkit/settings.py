"""Settings: one table says what can be set, its default, and what it means.

They come, later ones winning, from the defaults, a ``searchkit.toml`` in the current folder, and environment
variables (``SEARCHKIT_TIME_ZONE=Europe/Vienna``). Those marked *shaping* decide how articles are indexed: an index
keeps the ones it was made with, and `with_index` refuses to open it with others.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from searchkit.errors import IndexCorrupt, SettingsError

SETTINGS_FILE = "searchkit.toml"
_ENVIRONMENT_PREFIX = "SEARCHKIT_"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table: its name, default, one line of help, and whether it shapes the index."""

    name: str
    default: Any
    help: str
    shapes_index: bool = False


SETTINGS = (
    Setting("index", "index", "folder of the index"),
    Setting("language", "en", "language of articles that do not name theirs, as a code like en or de", True),
    Setting(
        "time_zone",
        "UTC",
        "IANA time zone that decides which day an article falls on, like Europe/Vienna",
        True,
    ),
    Setting("title_weight", 3.0, "how much a word in the title counts against one in the body", True),
    Setting("k1", 2.0, "BM25: how much repeating a word adds"),
    Setting("b", 0.75, "BM25: how much long articles are discounted, 0 to 1"),
    Setting("synonyms", "", "text file of words that mean the same, like synonyms.txt; none when empty"),
    Setting("nearness", False, "whether articles with the words of a query near each other score higher"),
    Setting("durable", True, "whether a commit waits until the disk has it; without that a power cut can lose it"),
    Setting("max_article_bytes", 16_000_000, "a single article larger than this is skipped and reported"),
)
_BY_NAME = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True)
class Settings:
    """The values in force; `SETTINGS` says what each means. Raises SettingsError for an unusable value."""

    index: str = "index"
    language: str = "en"
    time_zone: str = "UTC"
    title_weight: float = 3.0
    k1: float = 2.0
    b: float = 0.75
    synonyms: str = ""
    nearness: bool = False
    durable: bool = True
    max_article_bytes: int = 16_000_000

    def __post_init__(self) -> None:
        for setting in SETTINGS:
            value = getattr(self, setting.name)
            object.__setattr__(self, setting.name, _converted(setting, value))
        _check_time_zone(self.time_zone)
        if not self.language.replace("-", "").isalpha():
            raise SettingsError(f"language = {self.language!r} is not a language code; write it like en or pt-BR")
        for name, low, high in (
            ("title_weight", 1, 100),
            ("k1", 0, 100),
            ("b", 0, 1),
            ("max_article_bytes", 1, 2**40),
        ):
            if not low <= getattr(self, name) <= high:
                raise SettingsError(f"{name} = {getattr(self, name)!r} must lie between {low} and {high}")

    def shaping(self) -> dict[str, Any]:
        """The settings that an index is made with and keeps."""
        return {s.name: getattr(self, s.name) for s in SETTINGS if s.shapes_index}

    def with_changes(self, **changes: Any) -> "Settings":
        """A copy with those values that are not None put in. Raises SettingsError for an unknown name."""
        for name in changes:
            _known(name, "passed as an argument")
        return replace(self, **{name: value for name, value in changes.items() if value is not None})


def load_settings(
    folder: str | os.PathLike[str] = ".", environment: Mapping[str, str] | None = None
) -> tuple[Settings, frozenset[str]]:
    """The settings for work started in ``folder``, and the names of those that somebody set.

    Raises SettingsError, naming the file or variable, for an unknown name or an unusable value.
    """
    chosen = _file_values(Path(folder) / SETTINGS_FILE)
    for variable, text in (os.environ if environment is None else environment).items():
        name = variable.removeprefix(_ENVIRONMENT_PREFIX).lower()
        if variable.startswith(_ENVIRONMENT_PREFIX) and name in _BY_NAME:
            chosen[name] = text
    return Settings(**chosen), frozenset(chosen)


def with_index(settings: Settings, chosen: frozenset[str], made_with: Mapping[str, Any], folder: Path) -> Settings:
    """``settings`` with the shaping ones, ``made_with``, of the index in ``folder``.

    Raises SettingsError when one that somebody chose differs from what the index was made with, and IndexCorrupt
    when those of the index are unusable.
    """
    try:
        kept = replace(settings, **{name: made_with[name] for name in settings.shaping()})
    except (KeyError, TypeError, SettingsError) as exc:
        raise IndexCorrupt(
            f"the settings of the index in {folder} are damaged ({exc}); index the articles again"
        ) from exc
    for name, value in kept.shaping().items():
        if name in chosen and getattr(settings, name) != value:
            raise SettingsError(
                f"{name} is set to {getattr(settings, name)!r}, but the index in {folder} was made with {value!r}; "
                f"take the setting back, or make a new index from the articles"
            )
    return kept


def _file_values(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        raise SettingsError(f"{path} cannot be read: {exc}") from exc
    import tomllib  # few have the file, and `import searchkit` stays light without it

    try:
        values = tomllib.loads(text)
    except ValueError as exc:
        raise SettingsError(f"{path} cannot be read: {exc}") from exc
    for name in values:
        _known(name, f"in {path}")
    return values


def _known(name: str, place: str) -> None:
    if name not in _BY_NAME:
        raise SettingsError(f"there is no setting {name!r} ({place}); the settings are {', '.join(_BY_NAME)}")


def _converted(setting: Setting, value: Any) -> Any:
    kind = type(setting.default)
    if kind is bool:
        return _truth(setting, value)
    if isinstance(value, bool) or not isinstance(value, str | int | float | os.PathLike):
        raise SettingsError(f"{setting.name} = {value!r} is not usable: {setting.help}")
    try:
        return os.fspath(value) if isinstance(value, os.PathLike) else kind(value)
    except ValueError as exc:
        raise SettingsError(f"{setting.name} = {value!r} is not usable: {setting.help}") from exc


def _truth(setting: Setting, value: Any) -> bool:
    text = str(value).lower()
    if text not in ("true", "yes", "on", "1", "false", "no", "off", "0"):
        raise SettingsError(f"{setting.name} = {value!r} is not usable, write true or false: {setting.help}")
    return text in ("true", "yes", "on", "1")


def _check_time_zone(name: str) -> None:
    if name == "UTC":
        return
    from zoneinfo import ZoneInfo, available_timezones  # reads the interpreter's build configuration when imported

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:
        city = name.rsplit("/", 1)[-1].lower()
        near = sorted(zone for zone in available_timezones() if city and zone.lower().endswith(city))
        hint = f"did you mean {near[0]!r}?" if near else "write it like 'Europe/Vienna'"
        raise SettingsError(f"time_zone = {name!r} is not a time zone; {hint}") from exc
