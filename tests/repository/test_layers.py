"""Imports point down the layers, and `import searchkit` stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import searchkit

PACKAGE = Path(searchkit.__file__).parent

RUNGS = [
    {"article", "dates", "errors", "patterns"},
    {"settings"},
    {"sources"},
    {"analysis"},
    {"query"},
    {"page.model"},  # names the receipt of query
    {"codec"},
    {"indexing"},
    {"plan"},
    {"page"},
    {"engines"},
    {"session", "cli", "web", "__main__"},  # the command line starts the session, which shows pages as it does
]
"""Every module belongs to the rung that names it most exactly, and imports its own rung and those before."""

INDEPENDENT = [{"sources", "analysis", "query"}, {"web", "session"}, {"web", "cli"}]
"""Of these siblings none imports another."""

ALLOWED_BELOW = {"cli": {"web"}}
"""`searchkit serve` starts the web app, by name."""

MODULES = sorted(path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.py"))


def place(module: str) -> tuple[int, str]:
    """The rung and the unit that a module (without ``searchkit.``) belongs to."""
    best = max(
        (
            (len(unit), rung, unit)
            for rung, units in enumerate(RUNGS)
            for unit in units
            if module == unit or module.startswith(unit + ".")
        ),
        default=None,
    )
    assert best is not None, f"{module} is on no rung; add it to RUNGS"
    return best[1], best[2]


def imported_modules(path: Path) -> set[str]:
    """Every module of ours that a file imports, wherever in the file it does."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {
        name.removeprefix("searchkit.")
        for name in found
        if name.startswith("searchkit.") and is_module(name.removeprefix("searchkit."))
    }


def is_module(name: str) -> bool:
    """Whether a dotted name is a module or package of ours, rather than something in one."""
    path = PACKAGE.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_point_down(path: Path) -> None:
    """A module imports nothing from a layer above its own, and independent siblings not each other."""
    module = ".".join(path.parts).removesuffix(".__init__") or "__init__"
    if module == "__init__":
        return  # the public names stand above everything
    rung, unit = place(module)
    for name in imported_modules(PACKAGE / path.with_suffix(".py")):
        other_rung, other = place(name)
        assert other_rung <= rung, f"{module} imports {name} from a layer above"
        for siblings in INDEPENDENT:
            is_sibling = {unit, other} <= siblings and unit != other
            assert not is_sibling or other in ALLOWED_BELOW.get(unit, ()), f"{module} imports its sibling {name}"


def test_an_upward_import_would_be_seen(tmp_path: Path) -> None:
    """The check sees an import inside a function, too."""
    path = tmp_path / "module.py"
    path.write_text("def f():\n    from searchkit.engines import local\n")

    assert imported_modules(path) == {"engines", "engines.local"}
    assert place("engines.local")[0] > place("plan.execute")[0] > place("query.nodes")[0]


def test_importing_searchkit_imports_nothing_third_party() -> None:
    """`import searchkit` takes the standard library only; engines, terminals and readers load when used."""
    code = "import sys; before = set(sys.modules); import searchkit; print(*(set(sys.modules) - before), sep='\\n')"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    top_level = {name.split(".")[0] for name in result.stdout.split()}

    assert top_level - set(sys.stdlib_module_names) == {"searchkit"}


def test_public_names_are_exactly_those_listed() -> None:
    """What `searchkit` exports is documented by `__all__`, in order, and all of it is there."""
    assert searchkit.__all__ == sorted(searchkit.__all__)
    for name in searchkit.__all__:
        assert getattr(searchkit, name).__doc__
