"""What people type, and the tree it is read as."""

from datetime import date, datetime

import pytest

from searchkit.query import read_query
from searchkit.query.nodes import (
    And,
    Everything,
    Exact,
    Fuzzy,
    Label,
    Node,
    Not,
    Or,
    Pattern,
    Phrase,
    Prefix,
    Published,
    Word,
)
from searchkit.query.receipt import TOO_MUCH

TODAY = date(2024, 5, 15)
ALL = Everything()
A, B, C, D = (Word(letter) for letter in "abcd")


def words(text: str) -> And:
    return And(tuple(Word(word) for word in text.split()))


def both(*nodes: Node) -> And:
    return And(nodes)


def either(*nodes: Node) -> Or:
    return Or(nodes)


def title(text: str) -> Word:
    return Word(text, "title")


def topic(value: str) -> Label:
    return Label("topic", value)


def days(first: str | None, end: str | None) -> Published:
    return Published(first and date.fromisoformat(first), end and date.fromisoformat(end))


WORDS = [
    ("", ALL),
    ("   \t\n ", ALL),
    ("heparin", Word("heparin")),
    ("  heparin  ", Word("heparin")),
    ("Heparin PLATELETS", words("Heparin PLATELETS")),
    ("a a", A),
    ("to be or not to be", words("to be or not")),
    ("the", Word("the")),
    ("C++", Word("C++")),
    ("C# .NET F#", words("C# .NET F#")),
    ("COVID-19", Word("COVID-19")),
    ("U.S.", Word("U.S.")),
    ("U.S., e.g. Ph.D.", words("U.S. e.g. Ph.D.")),
    ("end.", Word("end")),
    ("a, b; c: d!", both(A, B, C, D)),
    ("why?", Word("why")),
    ("wait...", Word("wait")),
    ("...wait", Word("wait")),
    ("¿qué? ¡hola!", words("qué hola")),
    ("10.1016/j.chest.2017.03.050.", Word("10.1016/j.chest.2017.03.050")),
    ("anti-D e-mail", words("anti-D e-mail")),
    ("O'Brien O’Brien", words("O'Brien O’Brien")),
    ("dogs' tails", words("dogs tails")),
    ("#tag @name", words("#tag @name")),
    ("AT&T", Word("AT&T")),
    ("10:30", Word("10:30")),
    ("1:100 3.5%", words("1:100 3.5%")),
    ("O- A+ Rh-", words("O- A+ Rh-")),
    ("+heparin +platelets", words("heparin platelets")),
    ("+49", Word("+49")),
    ("[heparin] {b} <c>", both(Word("heparin"), B, C)),
    ("x[1]", Word("x[1]")),
    ("std::string", Word("std::string")),
    ("and/or", Word("and/or")),
    ("café naïve", words("café naïve")),
    ("東京", Word("東京")),
    ("東京 大阪", words("東京 大阪")),
    ("東京、大阪。", words("東京 大阪")),
    ("HLA-A*02:01", Word("HLA-A*02:01")),
    ("_under_", Word("_under_")),
    ("a\u3000b", both(A, B)),
    ("a\x00b", both(A, B)),
    ("hepa\u00adrin \ufeffb\u200b", both(Word("heparin"), B)),
    ("\ud800a", A),
    ("a\u2028b", both(A, B)),
    ("!!! a ???", A),
    ("🩸 a", A),
    (". , ;", ALL),
    ("`heparin`", Word("heparin")),
]

PHRASES = [
    ('"red cell"', Phrase("red cell")),
    ('"  red   cell "', Phrase("red cell")),
    ("“red cell”", Phrase("red cell")),
    ("„red cell“", Phrase("red cell")),
    ("„red cell”", Phrase("red cell")),
    ('"red cell”', Phrase("red cell")),
    ("«red cell»", Phrase("red cell")),
    ("»red cell«", Phrase("red cell")),
    ("‹red cell›", Phrase("red cell")),
    ("「東京都」", Phrase("東京都")),
    ("『東京都』", Phrase("東京都")),
    ("＂red cell＂", Phrase("red cell")),
    ("'red cell'", Phrase("red cell")),
    ("‘red cell’", Phrase("red cell")),
    ("'red cell' count", both(Phrase("red cell"), Word("count"))),
    ("'O'Brien said'", Phrase("O'Brien said")),
    ("'tis the season'", words("tis the season")),
    ("the '90s and dogs' tails", words("the 90s and dogs tails")),
    ("rock 'n' roll", words("rock n roll")),
    ('"heparin"', Phrase("heparin")),
    ('"to be or not to be"', Phrase("to be or not to be")),
    ('"a OR b -c (d)"', Phrase("a OR b -c (d)")),
    ('"a"b"c"', both(Phrase("a"), B, Phrase("c"))),
    ('a"b c"', both(A, Phrase("b c"))),
    ('"near words"~5', Phrase("near words", slop=5)),
    ('"near words"～5', Phrase("near words", slop=5)),
    ('"near words"~0', Phrase("near words")),
    ('"near words"~', Phrase("near words")),
    ('"near words"~1000', Phrase("near words", slop=100)),
    ('"red cell', words("red cell")),
    ('red cell"', words("red cell")),
    ('12" tube', words("12 tube")),
    ('12" and 14" tubes', words("12 and 14 tubes")),
    ('"', ALL),
    ('""', ALL),
    ('"" a', A),
    ('""a""', A),
    ('"!?" a', A),
    ("«red cell", words("red cell")),
    ("「a", A),
    ("'", ALL),
    ("'a", A),
    ("“a", A),
]

PREFIXES = [
    ("trans*", Prefix("trans")),
    ("trans**", Prefix("trans")),
    ("trans*,", Prefix("trans")),
    ("C*", Prefix("C")),
    ("10.1016/*", Prefix("10.1016/")),
    ("-trans*", Not(Prefix("trans"))),
    ("title:trans*", Prefix("trans", "title")),
    ("*", ALL),
    ("* a", A),
    ("-*", ALL),
    ('"red trans*"', Phrase("red trans*")),
    ("OR*", Prefix("OR")),
]

PATTERNS = [
    ("immun*therapy", Pattern("immun*therapy")),
    ("wom?n", Pattern("wom?n")),
    ("te?t*", Pattern("te?t*")),
    ("te**t", Pattern("te*t")),
    ("*cillin", Pattern("*cillin")),
    ("*cillin*", Pattern("*cillin*")),
    ("title:*cillin", Pattern("*cillin", "title")),
    ("title:wom?n", Pattern("wom?n", "title")),
    ("-wom?n", Not(Pattern("wom?n"))),
    ("(wom?n)", Pattern("wom?n")),
    ("wom?n?", Pattern("wom?n")),
    ("wom?n, a", both(Pattern("wom?n"), A)),
    ("covid*19", Pattern("covid*19")),
    ("anti-*body", Pattern("anti-*body")),
    ("what?", Word("what")),
    ("what?! a", both(Word("what"), A)),
    ("? a", A),
    ("DRB1*04:01", Word("DRB1*04:01")),
    ("HLA-A*02", Word("HLA-A*02")),
    ("example.org/a?b=c", Word("example.org/a?b=c")),
    ("2*3", Word("2*3")),
    ("a * b", both(A, B)),
]

FUZZY = [
    ("heparin~", Fuzzy("heparin", edits=2)),
    ("rates~", Fuzzy("rates", edits=1)),
    ("heparin~1", Fuzzy("heparin", edits=1)),
    ("heparin~2,", Fuzzy("heparin", edits=2)),
    ("heparin～2", Fuzzy("heparin", edits=2)),
    ("heparin~9", Fuzzy("heparin", edits=2)),
    ("heparin~0", Word("heparin")),
    ("title:heparin~", Fuzzy("heparin", "title", 2)),
    ("-heparin~", Not(Fuzzy("heparin", edits=2))),
    ("café~", Fuzzy("café", edits=1)),
    ("ab~", Word("ab")),
    ("a..~", Word("a")),
    ("a/bcd~", Word("a/bcd")),
    ("trans*~", Prefix("trans")),
    ("wom?n~", Pattern("wom?n")),
    ("~heparin", Word("heparin")),
    ("a ~ b", both(A, B)),
]

EXACT = [
    ("=running", Exact("running")),
    ("=running,", Exact("running")),
    ("＝running", Exact("running")),
    ("==running", Exact("running")),
    ('="as written"', Exact("as written")),
    ("=“as written”", Exact("as written")),
    ("=«as written»", Exact("as written")),
    ("='as written'", Exact("as written")),
    ('="as  written"~3', Exact("as written", slop=3)),
    ("title:=running", Exact("running", "title")),
    ('title:="as written"', Exact("as written", "title")),
    ("-=running", Not(Exact("running"))),
    ("(=running OR a)", either(Exact("running"), A)),
    ("=C++", Exact("C++")),
    ("=O'Brien", Exact("O'Brien")),
    ("=OR", Exact("OR")),
    ("a =b", both(A, Exact("b"))),
    ("a=b", Word("a=b")),
    ("a = b", both(A, B)),
    ("=trans*", Prefix("trans")),
    ("=heparin~", Exact("heparin")),
    ('=""', ALL),
    ('"“~1=b', Word("b")),
    ("=(b)", B),
    ("=!b*", Prefix("b")),
    ("=ab:c*", Exact("ab:c")),
    ("=:b", B),
    ("=.NET", Exact(".NET")),
    ("title:.=b", title("b")),
    ("title:=-b", title("b")),
    ("=", ALL),
]

OPERATORS = [
    ("-bank", Not(Word("bank"))),
    ("rates -bank", both(Word("rates"), Not(Word("bank")))),
    ("−bank", Not(Word("bank"))),
    ("–bank", Not(Word("bank"))),
    ("—bank", Not(Word("bank"))),
    ("－bank", Not(Word("bank"))),
    ("--bank", Not(Word("bank"))),
    ("rates - bank", words("rates bank")),
    ("rates — bank", words("rates bank")),
    ("-", ALL),
    ("a -", A),
    ("!bank", Word("bank")),
    ("NOT bank", Not(Word("bank"))),
    ("NOT NOT bank", Word("bank")),
    ("NOT -bank", Word("bank")),
    ("not bank", words("not bank")),
    ('-"red cell"', Not(Phrase("red cell"))),
    ("-(a b)", Not(both(A, B))),
    ("-(a OR b)", Not(either(A, B))),
    ("-(-a)", A),
    ("[-a]", Not(A)),
    ("a OR b", either(A, B)),
    ("a | b", either(A, B)),
    ("a|b", either(A, B)),
    ("a || b", either(A, B)),
    ("a｜b", either(A, B)),
    ("a or b", words("a or b")),
    ("a OR a", A),
    ("a AND b", both(A, B)),
    ("a && b", both(A, B)),
    ("a & b", both(A, B)),
    ("a and b", words("a and b")),
    ("a b OR c d", both(A, either(B, C), D)),
    ("a OR b c", both(either(A, B), C)),
    ("a OR b AND c OR d", both(either(A, B), either(C, D))),
    ("a AND b OR c", both(A, either(B, C))),
    ("(a b) OR c", either(both(A, B), C)),
    ("(a AND b) OR (c AND d)", either(both(A, B), both(C, D))),
    ("a OR -b", either(A, Not(B))),
    ("NOT a OR b", either(Not(A), B)),
    ("a OR (b OR c)", either(A, B, C)),
    ("a (b c)", both(A, B, C)),
    ("a OR b OR c", either(A, B, C)),
    ("(a)", A),
    ("((a))", A),
    ("（a）", A),
    ("a(b)", both(A, B)),
    ("OR a", A),
    ("a OR", A),
    ("AND a AND", A),
    ("a NOT", A),
    ("NOT", ALL),
    ("OR", ALL),
    ("OR AND NOT", ALL),
    ("a OR OR b", either(A, B)),
    ("a OR AND b", either(A, B)),
    ("a NOT OR b", either(A, B)),
    ("(OR a) b", both(A, B)),
    ("()", ALL),
    ("( )a", A),
    ("a OR () b", both(A, B)),
    ("a OR date:x b", both(A, B)),
    ("a date:x OR b", both(A, B)),
    ("a OR date:x OR b", either(A, B)),
    ("-() a", A),
    (")a(", A),
    ("(a OR b", either(A, B)),
    ("a) b", both(A, B)),
    ("((((", ALL),
    ('"red cell"-free', both(Phrase("red cell"), Word("free"))),
    ("a OR, b", either(A, B)),
    ("(a OR b) -c", both(either(A, B), Not(C))),
]

FIELDS = [
    ("title:heparin", title("heparin")),
    ("TITLE:heparin", title("heparin")),
    ("title：heparin", title("heparin")),
    ("title: heparin", title("heparin")),
    ('title:"red cell"', Phrase("red cell", "title")),
    ("title:“red cell”~3", Phrase("red cell", "title", 3)),
    ("title:'red cell'", Phrase("red cell", "title")),
    ("title:(a b)", both(title("a"), title("b"))),
    ("title:(a OR b) c", both(either(title("a"), title("b")), C)),
    ("title:(a topic:News)", both(title("a"), topic("News"))),
    ("-title:a", Not(title("a"))),
    ("title:-a", Not(title("a"))),
    ('title:"-a', title("a")),
    ("title:OR", title("OR")),
    ("title:", ALL),
    ("title: OR a", A),
    ('title:""', ALL),
    ("title:()", ALL),
    ("[title:a]", title("a")),
    ("topic:News", topic("News")),
    ("topic:News,", topic("News")),
    ('topic:"RBC Transfusion"', topic("RBC Transfusion")),
    ('topic:"  RBC   Transfusion "', topic("RBC Transfusion")),
    ("topic:„RBC Transfusion“", topic("RBC Transfusion")),
    ('topic:"Coagulation & Plasma, etc."', topic("Coagulation & Plasma, etc.")),
    ('topic:"the ""best"" of"', topic('the "best" of')),
    ('topic:"the “best” of"', topic("the “best” of")),
    ('topic:"RBC Transfusion” a', both(topic("RBC Transfusion"), A)),
    ('topic:"RBC', topic("RBC")),
    ("tag:x", topic("x")),
    ("category:x", topic("x")),
    ("section:x", topic("x")),
    ("-topic:x", Not(topic("x"))),
    ("NOT topic:x", Not(topic("x"))),
    ("topic:x OR topic:y", either(topic("x"), topic("y"))),
    ("topic:(x OR y)", either(topic("x"), topic("y"))),
    ("topic:(RBC Transfusion OR News)", either(topic("RBC Transfusion"), topic("News"))),
    ("topic:(Coagulation & Plasma)", topic("Coagulation & Plasma")),
    ("topic:(a, b)", topic("a, b")),
    ('topic:("a b" c)', both(topic("a b"), topic("c"))),
    ("topic:Coag*", topic("Coag")),
    ("topic:", ALL),
    ('topic:""', ALL),
    ('topic:" "', ALL),
    ("author:Smith", Label("author", "Smith")),
    ('by:"Jane Smith"', Label("author", "Jane Smith")),
    ("author: Smith a", both(Label("author", "Smith"), A)),
    ("author:O'Brien", Label("author", "O'Brien")),
    ('author:="Jane Smith"', Label("author", "Jane Smith", is_whole=True)),
    ('by:="Jane ""J"" Smith" a', both(Label("author", 'Jane "J" Smith', is_whole=True), A)),
    ("kind:podcast", Label("kind", "podcast")),
    ("type:podcast", Label("kind", "podcast")),
    ("lang:de", Label("language", "de")),
    ("language:pt-BR", Label("language", "pt-BR")),
    ("id:a-1", Label("id", "a-1")),
    ("id:a(1)", Label("id", "a(1)")),
    ("(id:a OR id:b)", either(Label("id", "a"), Label("id", "b"))),
    ("id:-x", Label("id", "-x")),
    ("url:https://example.org/a_(b)?c=d|e", Label("url", "https://example.org/a_(b)?c=d|e")),
    (
        "https://example.org/a.",
        either(Label("url", "https://example.org/a"), Phrase("https://example.org/a")),
    ),
    ("title:https://example.org/a", title("https://example.org/a")),
    ("doi:10.5555/12345678", Word("10.5555/12345678")),
    ("foo:bar", words("foo bar")),
    ('foo:"a b"', both(Word("foo"), Phrase("a b"))),
    ("foo:(a b)", both(Word("foo"), A, B)),
    ("foo: bar", words("foo bar")),
    ("x:y", Word("x:y")),
    ("ftp://example.org", Word("ftp://example.org")),
    ("NOT:a", Not(A)),
]

DATES = [
    ("date:2016", days("2016-01-01", "2017-01-01")),
    ("date:2016-03", days("2016-03-01", "2016-04-01")),
    ("date:2016-03-15", days("2016-03-15", "2016-03-16")),
    ("date:2016,", days("2016-01-01", "2017-01-01")),
    ("date:2016-03..2018", days("2016-03-01", "2019-01-01")),
    ("date:2016-03..2016", days("2016-03-01", "2017-01-01")),
    ("since:2016-03 until:2016", days("2016-03-01", "2017-01-01")),
    ("date:2018..2016-03", days("2016-03-01", "2019-01-01")),
    ("date:2016..", days("2016-01-01", None)),
    ("date:..2018", days(None, "2019-01-01")),
    ("date:2018..2016", days("2016-01-01", "2019-01-01")),
    ("date:2016-2018", days("2016-01-01", "2019-01-01")),
    ('date:"2016 to 2018"', days("2016-01-01", "2019-01-01")),
    ("date:[2016 TO 2018]", days("2016-01-01", "2019-01-01")),
    ("date:*", Published(None, None)),
    ("-date:*", Not(Published(None, None))),
    ("date:>2016", days("2017-01-01", None)),
    ("date:>=2016", days("2016-01-01", None)),
    ("date:<2016", days(None, "2016-01-01")),
    ("date:<=2016", days(None, "2017-01-01")),
    ("year:2016", days("2016-01-01", "2017-01-01")),
    ("since:2016 until:june-2018", days("2016-01-01", "2018-07-01")),
    ("until:2018 a since:2016", both(days("2016-01-01", "2019-01-01"), A)),
    ("since:2018 until:2016", days("2016-01-01", "2019-01-01")),
    ("after:2018 before:2016", days("2017-01-01", "2018-01-01")),
    ("before:2016", days(None, "2016-01-01")),
    ("after:2016", days("2017-01-01", None)),
    ("after:2016-02-29", days("2016-03-01", None)),
    ("since:yesterday", days("2024-05-14", None)),
    ("date:“last month”", days("2024-04-01", "2024-05-01")),
    ("date:last month", days("2024-04-01", "2024-05-01")),
    ("date:last-month", days("2024-04-01", "2024-05-01")),
    ("date:june 2018 patients", both(days("2018-06-01", "2018-07-01"), Word("patients"))),
    ("date:23 August 2017 a", both(days("2017-08-23", "2017-08-24"), A)),
    ("date:August 23, 2017", days("2017-08-23", "2017-08-24")),
    ("date:past 10 years", days("2014-05-16", "2024-05-16")),
    ("date:2016 10:30", both(days("2016-01-01", "2017-01-01"), Word("10:30"))),
    ("date:june OR topic:x", either(days("2023-06-01", "2023-07-01"), topic("x"))),
    ("date:(2016 OR 2018)", either(days("2016-01-01", "2017-01-01"), days("2018-01-01", "2019-01-01"))),
    ("date:(last month)", days("2024-04-01", "2024-05-01")),
    ("last month", words("last month")),
    ("2016", Word("2016")),
    ("june 2018", words("june 2018")),
    ("date:nonsense", ALL),
    ("a date:nonsense", A),
    ("date:2016-13 a", A),
    ("date:", ALL),
    ("before:0001", ALL),
    ("date:2016 date:2016-03", days("2016-03-01", "2016-04-01")),
    ("date:2016.. (a date:..2018)", both(days("2016-01-01", "2019-01-01"), A)),
    ("date:2016 date:2018", both(days("2016-01-01", "2017-01-01"), days("2018-01-01", "2019-01-01"))),
    ("-date:2016 date:2017", both(Not(days("2016-01-01", "2017-01-01")), days("2017-01-01", "2018-01-01"))),
    (
        "date:2018-06-30T12:00..2018-06-30T13:00",
        Published(datetime(2018, 6, 30, 12), datetime(2018, 6, 30, 13, 0, 0, 1)),
    ),
    ("date:9999", days("9999-01-01", None)),
]


DOI = "https://doi.org/10.1016/j.chest.2017"

SIGNS_AND_OTHER_LANGUAGES = [
    ("his/her", Word("his/her")),
    ("title:his/her", title("his/her")),
    ("-his/her a", both(Not(Word("his/her")), A)),
    ("heparin,warfarin", Word("heparin,warfarin")),
    ("heparin, warfarin", words("heparin warfarin")),
    ("heparin/warf*", both(Word("heparin"), Prefix("warf"))),
    ("title:heparin/warf*", both(title("heparin"), Prefix("warf", "title"))),
    ("-heparin/warf*", Not(both(Word("heparin"), Prefix("warf")))),
    ("10.1016/*", Prefix("10.1016/")),
    ("a/b*", Prefix("a/b")),
    ("a/OR*", Prefix("a/OR")),
    ("heparin^2", Word("heparin")),
    ("heparin^0.5 a", words("heparin a")),
    ("title:heparin^2", title("heparin")),
    ("trans*^2", Prefix("trans")),
    ("x^y", Word("x^y")),
    ("n^2", Word("n^2")),
    ("10^6", Word("10^6")),
    ('date:2016 "to" 2018', both(days("2016-01-01", "2017-01-01"), Phrase("to"), Word("2018"))),
    ("date:2016..2016 to 2018", both(days("2016-01-01", "2017-01-01"), Word("to"), Word("2018"))),
    ("-date:2016..2016 until 2018", both(Not(days("2016-01-01", "2017-01-01")), Word("until"), Word("2018"))),
    ("date:* to 2018", days(None, "2019-01-01")),
    ("date:.. to 2018", both(days(None, None), Word("to"), Word("2018"))),
    ("a NEAR b", words("a b")),
    ("a NEAR/3 b", words("a b")),
    ('"a c" NEAR b', both(Phrase("a c"), Word("b"))),
    ("NEAR b", words("near b")),
    ("a NEAR", words("a near")),
    ("a NEAR, b", words("a near b")),
    ("a near b", words("a near b")),
    ("title:NEAR", title("NEAR")),
    (DOI, Or((Label("url", DOI), Phrase(DOI), Phrase("10.1016/j.chest.2017")))),
    (
        "http://dx.doi.org/10.5555/x",
        Or((Label("url", "http://dx.doi.org/10.5555/x"), Phrase("http://dx.doi.org/10.5555/x"), Phrase("10.5555/x"))),
    ),
    ("https://doi.org/about", Or((Label("url", "https://doi.org/about"), Phrase("https://doi.org/about")))),
    ("ｔｏｐｉｃ：News", topic("News")),
    ("ＴＯＰＩＣ:News", topic("News")),
    ("heparin＊", Prefix("heparin")),
    ("wom？n", Pattern("wom?n")),
    ("血液？東京", words("血液 東京")),
    ("a ＯＲ b", Or((A, Word("b")))),
    ("ＮＯＴ b", Not(Word("b"))),
    ("Ｃ＋＋", Word("Ｃ++")),
    ("language:German", Label("language", "de")),
    ("lang:日本語", Label("language", "ja")),
    ("lang:klingon", Label("language", "klingon")),
    ("author:=smith", Label("author", "smith", True)),
    ("author:=“Jane Smith”", Label("author", "Jane Smith", True)),
    ("author:= smith", both(Label("author", "="), Word("smith"))),
    ("date:{2016 TO 2018}", days("2017-01-01", "2018-01-01")),
    ("date:[2016 TO 2018}", days("2016-01-01", "2018-01-01")),
    ("date:{2016 TO 2018]", days("2017-01-01", "2019-01-01")),
    ("date:{2018 TO 2016}", days("2017-01-01", "2018-01-01")),
    ("date:{2018 TO 2016]", days("2016-01-01", "2018-01-01")),
    ("date:{2016 TO *}", days("2017-01-01", None)),
    ("date:{* TO 2016}", days(None, "2016-01-01")),
    ("date:{2016 TO 2017} a", A),
    ("date:{2016-03-01 TO 2016-03-03}", days("2016-03-02", "2016-03-03")),
    ("date:2016 to 2018", days("2016-01-01", "2019-01-01")),
    ("date:2016 TO 2018 a", both(days("2016-01-01", "2019-01-01"), A)),
    ("date:2016 until june 2018", days("2016-01-01", "2018-07-01")),
    ("date:2016 to a", both(days("2016-01-01", "2017-01-01"), Word("to"), A)),
    ("date:(2016 to 2018)", days("2016-01-01", "2019-01-01")),
    ("since:2016 to 2018", both(days("2016-01-01", None), Word("to"), Word("2018"))),
]


@pytest.mark.parametrize(
    ("typed", "tree"),
    [*WORDS, *PHRASES, *PREFIXES, *PATTERNS, *FUZZY, *EXACT, *OPERATORS, *FIELDS, *DATES, *SIGNS_AND_OTHER_LANGUAGES],
)
def test_typed_text_is_read_as_tree(typed: str, tree: Node) -> None:
    """The text has this reading, and its canonical form has the same one."""
    reading = read_query(typed, today=TODAY)
    assert reading.node == tree
    assert read_query(reading.receipt.canonical, today=TODAY).node == tree


def test_groups_deeper_than_the_limit_are_read_flat() -> None:
    """Beyond 32 levels parentheses are left out; their words stay and the others close where they should."""
    reading = read_query("(" * 40 + "a" + ")" * 40 + " OR b", today=TODAY)
    assert reading.node == either(A, B)
    assert [remark.position for remark in reading.receipt.remarks] == [32]


def test_words_beyond_the_limit_are_cut() -> None:
    """The first 256 words are read, those of phrases counted."""
    reading = read_query(" ".join(f"w{number}" for number in range(300)), today=TODAY)
    assert isinstance(reading.node, And)
    assert len(reading.node.nodes) == 256
    assert reading.receipt.remarks[0].text.startswith("w256 w257")
    long_phrase = read_query('"' + " ".join(f"w{number}" for number in range(300)) + '"', today=TODAY)
    assert isinstance(long_phrase.node, Phrase)
    assert len(long_phrase.node.text.split()) == 256


def test_text_beyond_the_limit_is_cut_between_words() -> None:
    """A query longer than 8,192 characters is cut at a space, and the receipt says where."""
    reading = read_query("heparin " + "x" * 8150 + " " + "platelets " * 50, today=TODAY)
    assert isinstance(reading.node, And)
    assert reading.node.nodes[-1] == Word("platelets")
    assert "8,192" in reading.receipt.remarks[0].reason
    assert 8092 <= reading.receipt.remarks[0].position <= 8192


def test_what_stands_for_many_words_is_limited() -> None:
    """Twelve patterns, approximate spellings and authors are read, the others left out with one remark."""
    typed = [f"a*b{n}" for n in range(10)] + [f"heparin{n}x~" for n in range(10)] + ["author:smith"]
    reading = read_query(" OR ".join(typed), today=TODAY)
    assert isinstance(reading.node, Or)
    assert reading.node.nodes == (
        *(Pattern(f"a*b{n}") for n in range(10)),
        *(Fuzzy(f"heparin{n}x", None, 2) for n in range(2)),
    )
    (remark,) = [remark for remark in reading.receipt.remarks if remark.reason.startswith(TOO_MUCH)]
    assert "12 patterns, approximate spellings and authors (9 times)" in remark.reason


def test_words_as_written_and_initials_are_limited() -> None:
    """Beyond the fourth phrase as written its words are read in any form, beyond the second initials as typed."""
    phrases = read_query(" OR ".join(f'="red cells{n}"' for n in range(7)), today=TODAY)
    assert isinstance(phrases.node, Or)
    assert [type(node) for node in phrases.node.nodes] == [Exact] * 4 + [Phrase] * 3
    initials = read_query("U.S. U.K. E.U.", today=TODAY)
    assert initials.node == And((Word("U.S."), Word("U.K."), Phrase("E.U.")))
    assert all(reading.receipt.remarks for reading in (phrases, initials))


def test_words_that_signs_join_are_counted() -> None:
    """A hundred words of four parts are as many as four hundred, of which 256 are read."""
    reading = read_query(" ".join(f"red-cell/plasma,donor{n}" for n in range(100)), today=TODAY)
    assert isinstance(reading.node, And)
    assert len(reading.node.nodes) == 64
    assert [remark.reason for remark in reading.receipt.remarks] == [f"{TOO_MUCH} 256 words"]
