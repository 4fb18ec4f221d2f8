"""HTML article pages, as a blog engine or news site publishes them.

What a page states about itself is taken at its word before anything is guessed: JSON-LD, then Open Graph,
Dublin Core and other meta tags, then marks in the article itself (``<time datetime>``, ``rel="tag"``,
``rel="author"``, microformats and microdata, a "Filed Under" line). Trafilatura finds the main text where the
page does not mark it, and what is left unstated.

    id         JSON-LD ``identifier`` or such a meta tag; else the path below the source folder without
               extension
    title      headline, og:title, the one h1, ``<title>``; without the name of the site
    published  with the time and offset it is given with; likewise updated
    topics     sections and tags, each as written; a text of several is split at its commas only when nothing
               lists them one by one
    body       the text of the article: no menu, sidebar, footer, byline or repeated title
"""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from searchkit.article import Article
from searchkit.dates import parse_moment
from searchkit.errors import ArticleError
from searchkit.sources.plaintext import TextWriter, write_element
from searchkit.sources.reading import Found, Place, Skipped


def read_html(file: Path, name: str, article_id: str) -> Iterator[Found | Skipped]:
    """The article of one HTML page, or why there is none. Raises OSError if the file cannot be read.

    ``article_id`` is the id of an article whose page does not state one.
    """
    from lxml import etree  # loaded only when there is a page to read

    place = Place(name)
    raw = file.read_bytes()
    if not raw.strip():
        yield Skipped(place, "is empty; it holds no article")
        return
    try:
        page = _parse(decode_page(raw))
        if page is None:
            yield Skipped(place, "holds no HTML")
            return
        yield Found(_article(page, article_id), place)
    except ArticleError as exc:
        yield Skipped(place, str(exc))
    except (etree.LxmlError, RecursionError, ValueError) as exc:
        yield Skipped(place, f"cannot be read as HTML: {exc}")


def _parse(markup: str) -> Any:
    """The tree of a page, or None when there is no element in it."""
    from lxml import etree, html

    # Handed over as UTF-8 bytes: libxml2 would otherwise believe a charset that the page declares and does
    # not have.
    parser = html.HTMLParser(encoding="utf-8")
    try:
        return html.document_fromstring(markup.replace("\0", "\ufffd").encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:
        return None


def _article(page: Any, path_id: str) -> Article:
    """The article on a page. Raises ArticleError when there is none."""
    stated = _Statements.of(page)
    scope = _article_scope(page)
    title = _title(page, scope, stated)
    topics = _topics(scope, stated)
    dates = [*stated.published, *_times(scope, updated=False)]
    published = next(filter(_is_moment, dates), None)
    updated = next(filter(_is_moment, [*stated.updated, *_times(scope, updated=True)]), None)
    authors = stated.authors or _bylines(scope)
    body, guessed = _body(page, scope, title)
    if not any(map(str.isalnum, body)):
        raise ArticleError("holds no text that reads as an article")
    if guessed is not None:
        title = title or guessed.title or ""
        authors = authors or [name.strip() for name in (guessed.author or "").split(";")]
        published = published or guessed.date
    if published is None and dates:
        published = dates[0]  # no date can be read; `Article` says so
    summary = " ".join((stated.summary or "").split())
    opening = re.sub(r"\s*(?:\[?(?:…|\.\.\.)\]?)$", "", summary)
    if opening and " ".join(body[: 2 * len(opening) + 100].split()).startswith(opening):
        summary = ""  # a teaser cut from the text: indexing it would count its words twice
    return Article(
        stated.identifier or path_id,
        title,
        body,
        published=published,
        updated=updated,
        topics=topics,
        authors=authors,
        kind=stated.kind,
        url=stated.url,
        summary=summary,
        language=stated.language,
        extra={"site": stated.site} if stated.site else {},
    )


# ---- characters ----

_DECLARED = re.compile(rb"""<(?:meta|\?xml)[^>]*?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# What browsers read under these names (WHATWG Encoding, section 4.2): supersets that pages really use.
_SUPERSETS = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "tis-620": "cp874",
    "utf-16": "utf-8",
    "utf-16-le": "utf-8",
    "utf-16-be": "utf-8",
}


def decode_page(raw: bytes) -> str:
    """The characters of a page: by its byte order mark, as UTF-8 if it is that, or as it declares itself.

    UTF-8 goes first because hardly any text in another encoding is valid UTF-8, and many pages in UTF-8
    declare something else. Bytes without meaning become U+FFFD.
    """
    for mark, marked in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(marked, "replace")
    declared = _DECLARED.search(raw[:4096])
    encoding = _codec_name(declared[1].decode("ascii", "replace")) if declared else None
    if encoding == "iso2022_jp":  # written in ASCII bytes only, so it would pass for UTF-8
        return raw.decode(encoding, "replace")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        if encoding in (None, "utf-8"):
            encoding = "cp1252" if _is_mostly_not_utf8(raw) else "utf-8"
        return raw.decode(encoding or "utf-8", "replace")


def _codec_name(label: str) -> str | None:
    try:
        known = codecs.lookup(label)
    except LookupError:
        return None
    if not known._is_text_encoding:  # "base64" and the like are no encodings of pages
        return None
    return _SUPERSETS.get(known.name, known.name)


def _is_mostly_not_utf8(raw: bytes) -> bool:
    """Whether most characters above ASCII are wrong as UTF-8; one damaged byte does not make it Latin-1."""
    text = raw.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    right = sum(1 for character in text if character > "\x7f") - wrong
    return wrong > right


# ---- statements ----

_ARTICLE_TYPES = frozenset(
    {
        "Article",
        "NewsArticle",
        "BlogPosting",
        "Report",
        "ScholarlyArticle",
        "MedicalScholarlyArticle",
        "TechArticle",
        "AnalysisNewsArticle",
        "AskPublicNewsArticle",
        "BackgroundNewsArticle",
        "OpinionNewsArticle",
        "ReportageNewsArticle",
        "ReviewNewsArticle",
        "AdvertiserContentArticle",
        "SatiricalArticle",
        "SocialMediaPosting",
        "LiveBlogPosting",
        "DiscussionForumPosting",
        "Review",
        "PodcastEpisode",
        "Episode",
        "QAPage",
        "Question",
        "Quiz",
        "LearningResource",
        "Course",
    }
)
_KINDS_OF_TYPES = {"NewsArticle": "news", "PodcastEpisode": "podcast"}


@dataclass(slots=True)
class _Statements:
    """What a page says of itself in machine-readable form, the most exact first."""

    identifier: str | None = None
    titles: list[str] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    topic_texts: list[str] = field(default_factory=list)
    kind: str = ""
    url: str | None = None
    summary: str | None = None
    language: str | None = None
    site: str | None = None

    @classmethod
    def of(cls, page: Any) -> "_Statements":
        """The statements in the head and the JSON-LD of a page."""
        stated = cls()
        things = list(_linked_data(page))
        described = next((thing for thing in things if _types(thing) & _ARTICLE_TYPES), {})
        by_id = {thing["@id"]: thing for thing in things if isinstance(thing.get("@id"), str) and len(thing) > 1}
        stated._add_linked_data(described, by_id)
        stated._add_meta(_meta(page), page)
        return stated

    def _add_linked_data(self, thing: dict[str, Any], by_id: dict[str, Any]) -> None:
        def names(key: str) -> list[str]:
            return list(_names(thing.get(key), by_id))

        # a PropertyValue names the register in "name" and the article in "value"
        identifiers = thing.get("identifier")
        listed = identifiers if isinstance(identifiers, list) else [identifiers]
        values = (item.get("value", item.get("@id")) if isinstance(item, dict) else item for item in listed)
        self.identifier = next((name for value in values for name in _names(value, {})), None)
        self.titles += names("headline") + names("name")
        self.published += names("datePublished") or names("dateCreated")
        self.updated += names("dateModified")
        self.authors += names("author") or names("creator")
        self.topics += names("articleSection")
        keywords = thing.get("keywords")
        (self.topic_texts if isinstance(keywords, str) else self.topics).extend(names("keywords"))
        self.topics += names("about") if not self.topics and not self.topic_texts else []
        kinds = (_KINDS_OF_TYPES[name] for name in sorted(_types(thing)) if name in _KINDS_OF_TYPES)
        self.kind = next(iter(names("genre")), None) or next(kinds, "")
        self.summary = next(iter(names("description") or names("abstract")), None)
        self.language = next(iter(names("inLanguage")), None)
        self.site = next(iter(names("publisher")), None)
        self.url = next(
            (url for url in (*names("url"), *names("mainEntityOfPage"), thing.get("@id")) if _is_url(url)),
            None,
        )

    def _add_meta(self, meta: dict[str, list[str]], page: Any) -> None:
        def values(*names: str) -> list[str]:
            return [value for name in names for value in meta.get(name, ())]

        def first(*names: str) -> str | None:
            return next(iter(values(*names)), None)

        self.identifier = self.identifier or first("identifier", "dc.identifier", "dcterms.identifier", "article:id")
        self.titles += values(
            "og:title", "citation_title", "dc.title", "dcterms.title", "twitter:title", "parsely-title"
        )
        self.published += values(
            "article:published_time",
            "og:published_time",
            "datepublished",
            "citation_publication_date",
            "dc.date.issued",
            "dcterms.issued",
            "dc.date",
            "dcterms.date",
            "parsely-pub-date",
            "sailthru.date",
            "pubdate",
            "publish_date",
            "date",
        )
        self.updated += values(
            "article:modified_time", "og:updated_time", "datemodified", "dcterms.modified", "last-modified"
        )
        named = (
            values("article:author", "citation_author"),
            values("author", "dc.creator", "dcterms.creator"),
        )
        people = ([name for name in names if not _is_url(name)] for names in named)
        self.authors = self.authors or next(filter(None, people), [])
        self.topics += values("article:section", "article:tag")
        if not self.topics:
            self.topic_texts += values("dc.subject", "dcterms.subject", "news_keywords", "parsely-tags")
        self.kind = self.kind or first("kind", "article:kind", "genre") or ""
        canonical = page.xpath("//link[contains(concat(' ', @rel, ' '), ' canonical ')]/@href")
        base = next(iter(page.xpath("//base/@href")), "") or first("og:url") or self.url or ""
        if canonical and canonical[0].strip():
            self.url = _joined(base, canonical[0].strip())
        else:
            self.url = first("og:url") or self.url
        self.summary = self.summary or first("og:description", "description", "dc.description", "twitter:description")
        spoken = self.language or page.get("lang") or page.get("{http://www.w3.org/XML/1998/namespace}lang")
        spoken = spoken or first("content-language", "dc.language", "og:locale")
        self.language = _language_code(spoken)
        self.site = first("og:site_name", "application-name") or self.site


def _linked_data(page: Any) -> Iterator[dict[str, Any]]:
    """Every object of a page's JSON-LD, outer ones first; blocks that are not JSON are passed over."""
    for script in page.xpath("//script[contains(translate(@type, 'LDJSON', 'ldjson'), 'ld+json')]"):
        source = (script.text or "").strip().removeprefix("<!--").removesuffix("-->").strip().rstrip(";")
        try:
            waiting = [json.loads(source.removeprefix("//<![CDATA[").removesuffix("//]]>"), strict=False)]
        except (ValueError, RecursionError):
            continue
        while waiting:
            thing = waiting.pop(0)
            if isinstance(thing, list):
                waiting[:0] = thing
            elif isinstance(thing, dict):
                yield thing
                waiting += [
                    thing[key] for key in ("@graph", "mainEntity", "mainEntityOfPage", "hasPart") if key in thing
                ]


def _types(thing: dict[str, Any]) -> set[str]:
    types = thing.get("@type")
    listed = types if isinstance(types, list) else [types]
    return {name.rsplit("/", 1)[-1].rsplit(":", 1)[-1] for name in listed if isinstance(name, str)}


def _names(value: Any, by_id: dict[str, Any], depth: int = 0) -> Iterator[str]:
    """The texts of a JSON-LD value: itself, its items, or the name of the thing it is or points to."""
    match value:
        case str():
            if text := " ".join(_unescaped(value).split()):
                yield text
        case int() | float() if not isinstance(value, bool):
            yield str(value)
        case list() if depth < 4:
            for item in value:
                yield from _names(item, by_id, depth + 1)
        case dict() if depth < 4:
            keys = ("name", "value", "headline", "@value", "alternateName", "url")
            named = next((value[key] for key in keys if value.get(key)), None)
            target = by_id.get(value["@id"]) if isinstance(value.get("@id"), str) else None
            if named is not None:
                yield from _names(named, by_id, depth + 1)
            elif target is not None and target is not value:
                yield from _names(target, by_id, depth + 1)
            elif _is_url(value.get("@id")):
                yield value["@id"]


def _unescaped(text: str) -> str:
    """Entities decoded: many blog engines escape JSON-LD as if it were HTML."""
    from html import unescape

    return unescape(text) if "&" in text else text


def _meta(page: Any) -> dict[str, list[str]]:
    """The contents of meta tags by their lower-case name or property, in order."""
    meta: dict[str, list[str]] = {}
    for tag in page.iter("meta"):
        name = tag.get("property") or tag.get("name") or tag.get("itemprop") or tag.get("http-equiv") or ""
        content = " ".join((tag.get("content") or "").split())
        if name and content:
            meta.setdefault(name.strip().lower(), []).append(content)
    return meta


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://"))


def _joined(base: str, reference: str) -> str:
    try:
        return urljoin(base, reference)
    except ValueError:
        return reference


def _language_code(spoken: str | None) -> str | None:
    code = (spoken or "").split(",")[0].strip().replace("_", "-")
    return code if re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", code) else None


def _is_moment(text: str) -> bool:
    try:
        parse_moment(text)
    except (ValueError, OverflowError):
        return False
    return True


# ---- marks inside the page ----

_BESIDE_TAGS = frozenset({"nav", "aside"})
_BESIDE_ROLES = frozenset({"navigation", "complementary", "search", "contentinfo"})
_BESIDE_CLASSES = ("widget", "sidebar", "related", "jp-related", "comment", "menu", "breadcrumb")


def _is_beside(node: Any) -> bool:
    """Whether an element is a menu, a sidebar, related reading or comments, by its tag, role, class or id.

    Classes are judged by how they begin: a layout called ``content-sidebar`` is no sidebar.
    """
    if node.tag in ("html", "body", "article", "main"):
        return False
    return (
        node.tag in _BESIDE_TAGS
        or node.get("role") in _BESIDE_ROLES
        or any(
            name.startswith(_BESIDE_CLASSES) for name in f"{node.get('class', '')} {node.get('id', '')}".lower().split()
        )
    )


def _stands_beside(node: Any, scope: Any) -> bool:
    """Whether an element or one around it, inside the scope, is beside the article."""
    while node is not None and node is not scope:
        if _is_beside(node):
            return True
        node = node.getparent()
    return False


def _article_scope(page: Any) -> Any:
    """The element that holds the article with its header and footer: article, else main, else the page."""
    articles = _inside(page, "self::article[not(ancestor::article)]") or _inside(
        page, f"{_has_class('h-entry')} or {_has_class('hentry')}"
    )
    if len(articles) == 1:
        return articles[0]
    mains = page.xpath("//main | //*[@role='main']")
    return mains[0] if len(mains) == 1 else page


def _inside(scope: Any, condition: str) -> list[Any]:
    """The elements of the scope for which an XPath condition holds, those beside the article left out."""
    return [node for node in scope.xpath(f".//*[{condition}]") if not _stands_beside(node, scope)]


def _has_class(name: str) -> str:
    return f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')"


def _text(node: Any) -> str:
    writer = TextWriter()
    write_element(node, writer)
    return " ".join(str(writer).split())


def _title(page: Any, scope: Any, stated: _Statements) -> str:
    headings = [text for node in scope.iter("h1") if (text := _text(node))]
    heading = headings[0] if len(headings) == 1 else ""
    named = " ".join((page.findtext(".//title") or "").split())
    for title in (*stated.titles, heading, named):
        if not title or _is_url(title):
            continue
        if heading and title != heading and (title.startswith(heading) or title.endswith(heading)):
            rest = title.removeprefix(heading) if title.startswith(heading) else title.removesuffix(heading)
            if re.search(r"^\s*[|»«·•:–—-]|[|»«·•:–—-]\s*$", rest):
                return heading
        return _without_site(title, stated.site, certain=title is not named)
    return ""


_SITE_SEPARATOR = re.compile(r"\s+(?:[|»«›‹·•]|[-–—]|::)\s+")


def _without_site(title: str, site: str | None, *, certain: bool) -> str:
    """The title without the name of the site before or after it.

    Without a known name the last part after a bar or a guillemet is taken for it in a ``<title>``, which has
    it as a rule.
    """
    separators = list(_SITE_SEPARATOR.finditer(title))
    if not separators:
        return title
    first, last = separators[0], separators[-1]
    if site:
        if title[last.end() :].casefold() == site.casefold():
            return title[: last.start()]
        if title[: first.start()].casefold() == site.casefold():
            return title[first.end() :]
    if not certain and last[0].strip() in "|»›":
        return title[: last.start()]
    return title


def _times(scope: Any, *, updated: bool) -> list[str]:
    """The datetimes of ``<time>`` elements and microdata in the article, marked ones first."""
    name, css = ("dateModified", "updated") if updated else ("datePublished", "published")
    marked = _inside(scope, f"@itemprop='{name}' or {_has_class(css)} or {_has_class('dt-' + css)}")
    others = [] if updated else _inside(scope, "self::time[@datetime]")
    times = (node.get("datetime") or node.get("content") or node.get("title") for node in marked + others)
    return [text.strip() for text in times if text and text.strip()]


_BY = re.compile(r"(?:(?:written|posted) )?by:?\s+", re.IGNORECASE)


def _bylines(scope: Any) -> list[str]:
    """Authors by the marks in the article, of the most exact kind there is; else by a line "By …"."""
    conditions = (
        "@itemprop='author'",
        "@rel='author'",
        " or ".join(map(_has_class, ("p-author", "author", "byline", "entry-author"))),
        "starts-with(normalize-space(.), 'By ') and string-length(normalize-space(.)) < 80",
    )
    for condition in conditions:
        names = []
        for node in _inside(scope, condition):
            inner = node.xpath(f".//*[@itemprop='name' or @rel='author' or {_has_class('fn')}]")
            name = _BY.sub("", node.get("content") or _text(inner[0] if inner else node), count=1)
            if name and len(name) < 80:
                names.append(name)
        if names:
            return names
    return []


_TOPIC_LABEL = re.compile(
    r"(?:filed (?:under|in)|posted (?:in|under)|categor(?:y|ies)|topics?|tags?|tagged(?: with| as)?|section)"
    r"\s*:?\s*",
    re.IGNORECASE,
)
_TOPIC_LINE_LENGTH = 400


def _topics(scope: Any, stated: _Statements) -> list[str]:
    """Topics that the page lists one by one; else those in texts that have several, split at their commas."""
    links = [
        node
        for node in _inside(scope, "self::a[@rel]")
        if {"tag", "category"} & set((node.get("rel") or "").lower().split())
    ]
    listed = [*stated.topics, *(_text(node) for node in links)]
    texts = list(stated.topic_texts)
    for line, label in _topic_lines(scope):
        named = [_text(link) for link in line.iter("a")]
        listed += named
        if not named:
            texts.append(label)
    listed += [_text(node) for node in _inside(scope, f"@itemprop='articleSection' or {_has_class('p-category')}")]
    topics = {topic.casefold(): topic for topic in reversed(listed) if topic}
    ordered = [topics[key] for key in dict.fromkeys(topic.casefold() for topic in listed if topic)]
    return ordered or [part.strip() for text in texts for part in text.split(",")]


def _topic_lines(scope: Any) -> Iterator[tuple[Any, str]]:
    """The innermost elements that read "Filed Under: …", "Posted in …" or "Tags: …", and the rest of each."""
    for node in _inside(
        scope,
        "self::p or self::div or self::span or self::footer or self::li or self::small or self::section",
    ):
        text = " ".join("".join(node.itertext()).split()) if len(node) < 60 else ""
        if len(text) > _TOPIC_LINE_LENGTH:
            continue
        label = _TOPIC_LABEL.match(text)
        if label is None or not (":" in label[0] or next(node.iter("a"), None) is not None) or label.end() == len(text):
            continue
        if any(
            len(child) and _TOPIC_LABEL.match(" ".join("".join(child.itertext()).split()))
            for child in node.iterchildren("*")
        ):
            continue
        yield node, text[label.end() :]


# ---- the text ----

_TEXT_MARKS = (
    "@itemprop='articleBody'",
    _has_class("e-content"),
    _has_class("entry-content"),
    _has_class("post-content"),
    _has_class("article-body"),
    _has_class("post-body"),
)
_NOT_TEXT = (
    "self::nav or self::aside or self::footer or self::header or self::form or self::button"
    " or @hidden or @aria-hidden='true' or @rel='author'"
)
_NOT_TEXT_CLASSES = (
    *("share", "sharing", "sharedaddy", "social", "byline", "post-meta", "entry-meta", "entry-footer"),
    *("newsletter-", "signup", "screen-reader"),
)
_SHORT_TEXT = 600


def _body(page: Any, scope: Any, title: str) -> tuple[str, Any]:
    """The text of the article, and the document of trafilatura if that was asked.

    An element that the page marks as the text is rendered as it is. Trafilatura reads everything else, but
    its heuristics need some length to work on: of a short text inside one ``<article>`` it may drop half, or
    add the menu, so that is rendered directly too.
    """
    for condition in _TEXT_MARKS:
        marked = [node for node in _inside(scope, condition) if not node.xpath(f"ancestor::*[{condition}]")]
        if len(marked) == 1 and (body := _rendered(marked[0], title)):
            return body, None
    if scope.tag == "article":
        body = _rendered(scope, title)
        if 0 < len(body) < _SHORT_TEXT:
            return body, None
    document = _extracted(page)
    if document is None or document.body is None:
        return "", document
    return _rendered(document.body, title), document


def _rendered(element: Any, title: str) -> str:
    """The plain text of an element without share bars, bylines, topic lines and the repeated title."""
    from copy import deepcopy

    copy = deepcopy(element)
    copy.tail = None
    beside = [
        node
        for node in copy.xpath(".//*")
        if _is_beside(node) or any(name.startswith(_NOT_TEXT_CLASSES) for name in node.get("class", "").lower().split())
    ]
    beside += [*copy.xpath(f".//*[{_NOT_TEXT}]"), *(line for line, _ in _topic_lines(copy))]
    for node in beside:
        if node.getparent() is not None:
            node.drop_tree() if hasattr(node, "drop_tree") else node.getparent().remove(node)
    writer = TextWriter()
    write_element(copy, writer)
    body = str(writer)
    first, _, rest = body.partition("\n\n")
    return rest if title and first.casefold() == title.casefold() else body


def _extracted(page: Any) -> Any:
    """Trafilatura's reading of a page, or None."""
    import trafilatura  # half a second to import, so only when a page does not mark its text

    for line_break in page.iter("br"):
        line_break.tail = f"\n{line_break.tail or ''}"  # trafilatura drops some, and words would run together
    return trafilatura.bare_extraction(
        page,
        include_comments=False,
        include_tables=True,
        with_metadata=True,
        prune_xpath=["//nav", "//aside", "//footer[not(ancestor::article)]"],
        date_extraction_params={"extensive_search": False, "original_date": True},
    )
