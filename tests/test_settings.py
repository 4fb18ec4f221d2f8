"""Settings: where they come from, what wins, and what is refused."""

from dataclasses import fields
from pathlib import Path

import pytest

from searchkit.errors import IndexCorrupt, SettingsError
from searchkit.settings import SETTINGS, Settings, load_settings, with_index


def test_the_table_and_the_record_agree() -> None:
    """Every row of the table is a field with the same default, in the same order."""
    assert [(s.name, s.default) for s in SETTINGS] == [(f.name, f.default) for f in fields(Settings)]


def test_environment_wins_over_file_over_default(tmp_path: Path) -> None:
    """A variable beats searchkit.toml, which beats the default, and both count as chosen."""
    (tmp_path / "searchkit.toml").write_text('language = "de"\ntime_zone = "Europe/Vienna"\n')

    settings, chosen = load_settings(tmp_path, {"SEARCHKIT_LANGUAGE": "fr", "SEARCHKIT_DATA": "x", "PATH": "y"})

    assert (settings.language, settings.time_zone, settings.k1) == ("fr", "Europe/Vienna", 2.0)
    assert chosen == {"language", "time_zone"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('colour = "red"', "no setting 'colour'"),
        ('k1 = "much"', "k1 = 'much'"),
        ("b = 2.0", "b = 2.0 must lie between 0 and 1"),
        ("language = 3", "language = '3'"),
        ('time_zone = "Vienna"', "did you mean 'Europe/Vienna'"),
        ('time_zone = "Nowhere"', "write it like 'Europe/Vienna'"),
        ("max_article_bytes = true", "max_article_bytes = True"),
        ("language = ", "searchkit.toml cannot be read"),
    ],
)
def test_unusable_settings_are_refused_with_value_and_next_step(tmp_path: Path, content: str, message: str) -> None:
    """The message names the setting, the value and what would do."""
    (tmp_path / "searchkit.toml").write_text(content)

    with pytest.raises(SettingsError, match=message):
        load_settings(tmp_path, {})


def test_an_index_keeps_the_settings_that_shape_it() -> None:
    """Defaults give way to what the index was made with; a differing choice is refused and says both values."""
    made_with = {"language": "de", "time_zone": "Europe/Vienna", "title_weight": 3.0}

    kept = with_index(Settings(k1=1.5), frozenset({"k1"}), made_with, Path("index"))
    assert (kept.language, kept.time_zone, kept.k1) == ("de", "Europe/Vienna", 1.5)

    with pytest.raises(SettingsError, match="'fr', but the index in index was made with 'de'"):
        with_index(Settings(language="fr"), frozenset({"language"}), made_with, Path("index"))


def test_damaged_settings_of_an_index_are_reported_as_such() -> None:
    """Settings of an index that make no sense mean a damaged index, not a wrong setting."""
    with pytest.raises(IndexCorrupt, match="index the articles again"):
        with_index(Settings(), frozenset(), {"language": "de"}, Path("index"))
