"""docs/embedding.md: its programs run, its tables are complete, its examples are true."""

import inspect
import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from web_client import ARTICLES, Client, PageReader

from searchkit import open_archive
from searchkit.web import create_app
from searchkit.web.state import SearchState, read_state, write_state

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, flags=re.DOTALL | re.MULTILINE)


def block(language: str, holding: str) -> str:
    (found,) = [text for text in blocks(language) if holding in text]
    return found


def table(heading: str) -> list[str]:
    """The names in the first column of the table whose header begins with ``heading``."""
    rows = re.search(rf"^\| {heading} .*?\n\|[-|]+\n((?:\|.*\n)+)", GUIDE, flags=re.MULTILINE)
    assert rows
    return [name for row in rows[1].splitlines() for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with an index in ``index``, as the programs of the guide expect to be started in."""
    with open_archive(tmp_path / "index", create=True) as archive:
        archive.add(ARTICLES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(program: str) -> dict[str, object]:
    names: dict[str, object] = {"__name__": "site_under_test"}
    exec(compile(program, "docs/embedding.md", "exec"), names)
    return names


def check_search_page(app: object) -> None:
    client = Client(app)  # type: ignore[arg-type]
    page = client.page("/search/?q=heparin")
    assert page.link("Heparin before surgery") == "/search/article/2017/heparin"
    assert client.get("/search/api/search?q=heparin").json()["total"] > 0


def closing(names: dict[str, object]) -> None:
    names["archive"].close()  # type: ignore[attr-defined]


def test_the_starlette_program(site: Path) -> None:
    """The Starlette app serves the search page under its path."""
    names = run(block("python", "uvicorn site:app"))
    check_search_page(names["app"])
    closing(names)


def test_the_fastapi_program(site: Path) -> None:
    """The FastAPI app serves the search page and its own handler."""
    pytest.importorskip("fastapi", reason="FastAPI is not installed")
    names = run(block("python", "FastAPI()"))
    check_search_page(names["app"])
    assert Client(names["app"]).get("/related-to-heparin").json()["hits"]  # type: ignore[arg-type]
    closing(names)


def test_the_django_programs(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """asgi.py serves the search page before Django's own, and the view renders marked hits."""
    pytest.importorskip("django", reason="Django is not installed")
    (site / "mysite").mkdir()
    (site / "mysite" / "__init__.py").write_text("")
    (site / "mysite" / "views.py").write_text(block("python", "django.shortcuts"))
    (site / "mysite" / "urls.py").write_text(
        "from django.urls import path\nfrom mysite import views\nurlpatterns = [path('find', views.search)]"
    )
    (site / "search.html").write_text(
        "{% for hit, snippets in hits %}{% for snippet in snippets %}{{ snippet }}{% endfor %}{% endfor %}"
    )
    (site / "mysite" / "settings.py").write_text(
        textwrap.dedent(f"""
        SECRET_KEY = "only for this test"
        ALLOWED_HOSTS = ["*"]
        ROOT_URLCONF = "mysite.urls"
        TEMPLATES = [
            {{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [{str(site)!r}]}}
        ]
        """)
    )
    monkeypatch.syspath_prepend(site)
    names = run(block("python", "get_asgi_application"))
    check_search_page(names["application"])
    found = Client(names["application"]).get("/find?q=heparin&topic=News").text  # type: ignore[arg-type]
    assert "<mark>Heparin</mark>" in found
    closing(names)
    sys.modules["mysite.views"].archive.close()


def test_the_program_for_other_hosts(site: Path) -> None:
    """The wrapped app lets the named host read its answers."""
    names = run(block("python", "CORSMiddleware"))
    assert Client(names["app"]).get("/api/search?q=heparin").json()["total"] > 0  # type: ignore[arg-type]
    closing(names)


def test_every_program_is_tested() -> None:
    """A program added to the guide gets a test here."""
    assert len(blocks("python")) == 5


def test_the_form_asks_what_we_read() -> None:
    """Every field of the form is a parameter of the search page."""
    form = PageReader(block("html", "<form"))
    fields = {a["name"] or "": a.get("value") or "typed" for a in form.all("input")}
    assert dict(parse_qsl(write_state(read_state(fields.items())))) == fields


def test_the_parameter_table_is_complete() -> None:
    """Each parameter that changes a search is in the table, and each in the table changes one."""
    values = {"sort": "newest", "limit": "7", "disjunctive": "1", "explain": "1"}
    for name in table("parameter"):
        assert read_state([(name, values.get(name, "2016"))]) != SearchState(), name
    everything = SearchState("a", ("b",), ("c",), ("d",), ("e",), "f", "g", "h", "newest", 7, "i", 0, True, True)
    written = [pair.partition("=")[0] for pair in write_state(everything).split("&")]
    assert sorted(table("parameter")) == sorted(written)


def test_the_argument_table_is_complete() -> None:
    """The table has every argument of create_app but the archive."""
    assert sorted(table("argument")) == sorted(set(inspect.signature(create_app).parameters) - {"archive"})


def test_the_address_table_is_true(client: Client) -> None:
    """Each address answers, and the answer has the names the table gives."""
    for address in table("address"):
        path = address.replace("ID", "2017/heparin")
        answered = client.get(f"/{path.split('?')[0]}").json()
        row = re.search(rf"^\| `{re.escape(address)}` \| (.*) \|$", GUIDE, flags=re.MULTILINE)
        assert row
        if address == "api/search":
            assert list(answered) == re.findall(r"`(\w+)`", row[1])


def test_the_error_example_is_what_is_sent(client: Client) -> None:
    """The error in the guide is the answer to a limit of ten in letters."""
    assert client.get("/api/search?limit=ten", 400).json() == json.loads(block("json", "error"))


def test_the_style_example_sets_properties_we_have() -> None:
    """Each property of the example is one of our style sheet."""
    ours = (ROOT / "searchkit" / "web" / "static" / "searchkit.css").read_text(encoding="utf-8")
    for name in re.findall(r"--sk-[\w-]+", block("css", ":root")):
        assert f"{name}:" in ours


def test_the_template_example(archive, tmp_path: Path) -> None:
    """The base.html of the guide puts its footer on the page."""
    (tmp_path / "base.html").write_text(block("jinja", "extends"))
    page = Client(create_app(archive, templates=tmp_path)).page(f"/?{urlencode({'q': 'heparin'})}")
    assert page.link("Imprint") == "/imprint"


@pytest.mark.parametrize("package", ["starlette", "jinja2"])
def test_without_its_packages_the_extra_is_named(package: str) -> None:
    """Where a package is missing the import works, and asking for create_app says what installs it."""
    program = f"""
import sys
sys.modules[{package!r}] = None
import searchkit.web
from searchkit.errors import MissingExtra
try:
    searchkit.web.create_app
except MissingExtra as exc:
    print(exc)
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert f"'{package}'" in said
    assert "pip install 'searchkit[web]'" in said


def test_importing_the_package_loads_no_framework() -> None:
    """searchkit.web alone does not import what it may not need."""
    program = "import sys, searchkit.web; print({'starlette', 'jinja2', 'whoosh'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert said.strip() == "set()"


def test_other_names_are_not_there() -> None:
    """The lazy import answers for nothing but create_app."""
    import searchkit.web

    with pytest.raises(AttributeError, match="nosuch"):
        searchkit.web.nosuch  # noqa: B018
