"""What readers type and which articles answer it, on small archives of names, codes, scripts, labels and dates."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import searchkit
from searchkit.engines.local import LocalArchive, open_local
from searchkit.settings import Settings

Article = searchkit.Article

BODIES = {
    "cpp": "She wrote the parser in C++ and nothing else.",
    "csharp": "He prefers C# for the desktop.",
    "c": "The kernel is written in C.",
    "dotnet": "The service runs on .NET today.",
    "net": "They cast a net into the sea.",
    "fsharp": "F# and OCaml are cousins.",
    "covid": "COVID-19 changed donation.",
    "covid19": "The covid19 wards were full.",
    "covid 19": "Covid in 19 wards.",
    "us": "The U.S. army counted them.",
    "us2": "The US army counted them.",
    "pronoun": "Tell us the truth.",
    "rh": "Rh-negative donors are rare.",
    "rh2": "Rh negative donors are rare.",
    "negative": "A negative result for Rh.",
    "doi": "See 10.1016/j.chest.2017.03.050 for the trial.",
    "doi2": "See https://doi.org/10.1016/j.chest.2017.03.051 instead.",
    "antid": "Anti-D was found in her plasma.",
    "antie": "Anti-E was found in her plasma.",
    "antibody": "An antibody was found.",
    "email": "Send an email today.",
    "e-mail": "Send an e-mail today.",
    "mail": "E is a letter; mail is another.",
    "obrien": "Mr O’Brien spoke first.",
    "obrien2": "Mr O'Brien spoke last.",
    "obrien3": "Mr OBrien wrote it.",
    "brien": "Mr Brien kept silent.",
    "tokyo": "東京都は日本の首都です。",
    "kyoto": "京都は古い都です。",
    "tokyo2": "Tokyo (東京) in summer.",
    "cafe": "The cafe was closed.",
    "café": "The café was open.",
    "cafés": "Many cafés are closed.",
    "bank": "Bank rates rise.",
    "rates": "Interest rates fall.",
    "hamlet": "To be or not to be, that is the question.",
    "tobe": "Not much is to be done, or so they say.",
    "running": "She is running late.",
    "runs": "She runs late.",
    "run": "A run on the bank.",
    "hla": "HLA-A*02:01 is common.",
    "atandt": "AT&T sold it.",
    "time": "At 10:30 the plane left.",
    "ratio": "Diluted 1:100 with saline.",
    "percent": "About 3.5% refused.",
    "naive": "A naïve idea.",
    "strasse": "Die Straße war leer.",
    "strasse2": "Die Strasse war voll.",
    "zurich": "Zürich im Winter.",
    "women": "Two women donated.",
    "woman": "One woman donated.",
    "immuno": "Immunotherapy works.",
    "immunochemo": "Immunochemotherapy works better.",
    "thrombo": "Thrombocytopenia after heparin.",
    "seoul": "서울은 한국의 수도이다.",
    "bangkok": "กรุงเทพเป็นเมืองหลวง",
    "moscow": "Москва зимой.",
    "ё": "Ёлка зимой.",
    "athens": "Η Αθήνα το καλοκαίρι.",
    "typo": "The goverment fell.",
    "quoted": "He said “blood bank” twice.",
    "bloodbank": "The bloodbank moved.",
    "under": "The variable is called max_size here.",
    "path": "Look in /usr/local/bin for it.",
    "version": "Version 2.10.1 came out.",
    "tag": "Written under #transfusion by @nurse.",
    "hyphen": "A well-known follow-up.",
    "ligature": "The ﬁrst oﬃce.",
    "full": "ＦＵＬＬ width letters.",
}
"""Article ids, which say what is in the article, and their texts."""

FILED = [
    Article(
        "a1",
        "Heparin and platelets",
        "Heparin may cause thrombocytopenia. Red cells are spared.",
        published="2016-05-01",
        topics=["RBC Transfusion", "News"],
        authors=["Jane Smith"],
        kind="news",
        url="https://example.org/a1",
    ),
    Article(
        "a2",
        "Plasma for bleeding",
        "Plasma stops bleeding. Red blood cells carry oxygen.",
        published="2016-12-31",
        topics=["Coagulation & Plasma"],
        authors=["Jörg Maier", "Jane Smith"],
        kind="podcast",
        url="https://example.org/a2?x=1",
    ),
    Article(
        "a3",
        "Red cells",
        "Heparin and plasma in one bag. A cell is red.",
        published="2017-01-01",
        topics=["News"],
        authors=["J. Smith"],
        kind="news",
    ),
    Article(
        "a4",
        "Blutspende im Winter",
        "Plättchen und Plasma fehlen. Häuser spenden.",
        published="2018-02-28",
        topics=["Blutspende"],
        authors=["Jörg Maier"],
        kind="Podcast",
        language="de",
    ),
    Article(
        "a5",
        "Don de sang",
        "Le plasma manque à l'hôpital. Des élèves donnent.",
        published="2020-02-29",
        topics=["Don"],
        language="fr",
    ),
    Article("a6", "Platelets", "No date is known. Warfarin, heparin, aspirin.", topics=["news"], authors=["Anonymous"]),
    Article(
        "a7",
        "The heparin story",
        "Told on the eve.",
        published="2019-12-31T23:30:00+00:00",
        topics=["RBC  Transfusion"],
        kind="question of the day",
    ),
    Article(
        "a8",
        "Donors",
        "Donors gave platelets in May.",
        published="2020-03-01",
        topics=['the "best" of'],
        language="en-GB",
        summary="A summary names warfarin.",
    ),
]

NAMES = [
    ("C++", ["cpp"]),
    ("C#", ["csharp"]),
    ("C", ["c", "cpp", "csharp"]),
    ("F#", ["fsharp"]),
    (".NET", ["dotnet"]),
    (".net", ["dotnet"]),
    ("net", ["dotnet", "net"]),
    ("COVID-19", ["covid", "covid19"]),
    ("covid19", ["covid", "covid19"]),
    ("covid 19", ["covid", "covid 19", "covid19"]),
    ("19 covid", ["covid", "covid 19"]),
    ("(covid 19) OR net", ["covid", "covid 19", "covid19", "dotnet", "net"]),
    ("covid 19 -wards", ["covid"]),
    ("donation covid 19", ["covid"]),
    ("title:covid 19", []),
    ("https://doi.org/10.1016/j.chest.2017.03.050", ["doi"]),
    ("https://dx.doi.org/10.1016/j.chest.2017.03.051", ["doi2"]),
    ("bank NEAR rates", ["bank"]),
    ("bank NEAR/5 rates", ["bank"]),
    ("Ｃ＋＋", ["cpp"]),
    ("Ｃ＃", ["csharp"]),
    ("ＣＯＶＩＤ－１９", ["covid", "covid19"]),
    ("Ｕ．Ｓ．", ["us", "us2"]),
    ("immuno＊", ["immuno", "immunochemo"]),
    ("wom？n", ["woman", "women"]),
    ("ｉｄ：bank", ["bank"]),
    ("ＮＯＴ bank rates", ["rates"]),
    ("covid", ["covid", "covid 19"]),
    ('"covid 19"', ["covid"]),
    ("U.S.", ["us", "us2"]),
    ("US", ["pronoun", "us", "us2"]),
    ("us", ["pronoun", "us", "us2"]),
    ("U.S. army", ["us", "us2"]),
    ("Rh-negative", ["rh", "rh2"]),
    ("Rh negative", ["negative", "rh", "rh2"]),
    ('"Rh negative"', ["rh", "rh2"]),
    ("rhnegative", ["rh"]),
    ("10.1016/j.chest.2017.03.050", ["doi"]),
    ("doi:10.1016/j.chest.2017.03.050", ["doi"]),
    ("10.1016", ["doi", "doi2"]),
    ("10.1016/*", ["doi", "doi2"]),
    ("https://doi.org/10.1016/j.chest.2017.03.051", ["doi2"]),
    ("chest.2017", ["doi", "doi2"]),
    ("anti-D", ["antid"]),
    ("anti-d", ["antid"]),
    ("antiD", ["antid"]),
    ("anti D", ["antid"]),
    ("anti-E", ["antie"]),
    ("anti*", ["antibody", "antid", "antie"]),
    ("e-mail", ["e-mail", "email"]),
    ("email", ["e-mail", "email"]),
    ('"e mail"', ["e-mail"]),
    ("e mail", ["e-mail", "mail"]),
    ("mail", ["e-mail", "mail"]),
    ("O'Brien", ["obrien", "obrien2", "obrien3"]),
    ("O’Brien", ["obrien", "obrien2", "obrien3"]),
    ("OBrien", ["obrien", "obrien2", "obrien3"]),
    ("o brien", ["obrien", "obrien2"]),
    ("Brien", ["brien", "obrien", "obrien2"]),
    ('"O\'Brien spoke"', ["obrien", "obrien2"]),
    ("東京", ["tokyo", "tokyo2"]),
    ("東京都", ["tokyo"]),
    ("京都", ["kyoto", "tokyo"]),
    ("京", ["kyoto", "tokyo", "tokyo2"]),
    ("都", ["kyoto", "tokyo"]),
    ("日本", ["tokyo"]),
    ("東京 summer", ["tokyo2"]),
    ('"東京都は"', ["tokyo"]),
    ("古い都", ["kyoto"]),
    ("cafe", ["cafe", "café", "cafés"]),
    ("café", ["cafe", "café", "cafés"]),
    ("CAFÉ", ["cafe", "café", "cafés"]),
    ("cafés", ["cafe", "café", "cafés"]),
    ("=cafe", ["cafe", "café"]),
    ("=café", ["café"]),
    ("=cafés", ["cafés"]),
    ("caf?", []),
    ("cafe~", ["cafe", "café", "cafés", "version"]),
    ("-bank rates", ["rates"]),
    ("rates -bank", ["rates"]),
    ("bank -rates", ["quoted", "run"]),
    ("to be or not to be", ["hamlet", "tobe"]),
    ('"to be or not to be"', ["hamlet"]),
    ('"not to be"', ["hamlet"]),
    ("to be", ["hamlet", "tobe"]),
    ("running", ["dotnet", "run", "running", "runs"]),
    ("runs", ["dotnet", "run", "running", "runs"]),
    ("=running", ["running"]),
    ("=runs", ["dotnet", "runs"]),
    ("=run", ["run"]),
    ('="is running"', ["running"]),
    ('="is runs"', []),
    ('"is running"', ["running"]),
    ("ran", []),
    ("HLA-A*02:01", ["hla"]),
    ("HLA-A*02", ["hla"]),
    ("HLA-A", ["hla"]),
    ("HLA*", ["hla"]),
    ("AT&T", ["atandt"]),
    ("ATT", ["atandt"]),
    ("10:30", ["time"]),
    ("1:100", ["ratio"]),
    ("3.5%", ["percent"]),
    ("3.5", ["percent"]),
    ("35", []),
    ("naive", ["naive"]),
    ("naïve", ["naive"]),
    ("=naive", ["naive"]),
    ("=naïve", ["naive"]),
    ("Straße", ["strasse", "strasse2"]),
    ("strasse", ["strasse", "strasse2"]),
    ("STRASSE", ["strasse", "strasse2"]),
    ("zurich", ["zurich"]),
    ("Zürich", ["zurich"]),
    ("zuerich", []),
    ("wom?n", ["woman", "women"]),
    ("wom*n", ["woman", "women"]),
    ("women", ["women"]),
    ("=women", ["women"]),
    ("immun*therapy", ["immuno", "immunochemo"]),
    ("immuno*therapy", ["immuno", "immunochemo"]),
    ("*therapy", ["immuno", "immunochemo"]),
    ("immun*", ["immuno", "immunochemo"]),
    ("*chemo*", ["immunochemo"]),
    ("thrombocytopena~", ["thrombo"]),
    ("thrombocytopena", []),
    ("thrombocytopenia~1", ["thrombo"]),
    ("thrombozytopenie~", ["thrombo"]),
    ("goverment~", ["typo"]),
    ("government~", ["typo"]),
    ("government~1", ["typo"]),
    ("서울", ["seoul"]),
    ("한국", ["seoul"]),
    ("กรุงเทพ", ["bangkok"]),
    ("เมือง", ["bangkok"]),
    ("москва", ["moscow"]),
    ("МОСКВА", ["moscow"]),
    ("елка", ["ё"]),
    ("ёлка", ["ё"]),
    ("Αθήνα", ["athens"]),
    ("αθηνα", ["athens"]),
    ('"blood bank"', ["quoted"]),
    ("bloodbank", ["bloodbank"]),
    ("blood-bank", ["bloodbank", "quoted"]),
    ("blood bank", ["quoted"]),
    ("max_size", ["under"]),
    ("max", ["under"]),
    ("/usr/local/bin", ["path"]),
    ("usr local", ["path"]),
    ("2.10.1", ["version"]),
    ("2.10", ["version"]),
    ("#transfusion", ["tag"]),
    ("transfusion", ["tag"]),
    ("@nurse", ["tag"]),
    ("well-known", ["hyphen"]),
    ("well known", ["hyphen"]),
    ("wellknown", ["hyphen"]),
    ('"well known"', ["hyphen"]),
    ("first office", ["ligature"]),
    ("ﬁrst", ["ligature", "obrien"]),
    ("full", ["covid19", "full"]),
    ("ＦＵＬＬ", ["covid19", "full"]),
    ('"bank rates"', ["bank"]),
    ('"rates bank"', []),
    ('"rates bank"~1', []),
    ('"bank rise"~1', ["bank"]),
    ('"bank rise"', []),
    ("=“bank rates”", ["bank"]),
    ("title:bank", []),
    ("-title:n", []),
    ("xyzzy", []),
    ("xyzzy OR bank", ["bank", "quoted", "run"]),
    ("-xyzzy bank", ["bank", "quoted", "run"]),
    ("date:nonsense bank", ["bank", "quoted", "run"]),
    ("(bank", ["bank", "quoted", "run"]),
    ("bank)", ["bank", "quoted", "run"]),
    ('"bank', ["bank", "quoted", "run"]),
    ("bank AND", ["bank", "quoted", "run"]),
    ("NOT bank rates", ["rates"]),
    ("bank NOT rates", ["quoted", "run"]),
    ("bank OR net", ["bank", "dotnet", "net", "quoted", "run"]),
    ("bank|| net", ["bank", "dotnet", "net", "quoted", "run"]),
    ("bank & rates", ["bank"]),
    ("wintr~", ["zurich"]),
    ("winter~", ["zurich"]),
    ("im winter", ["zurich"]),
    ("зимой", ["moscow", "ё"]),
    ("id:bank", ["bank"]),
    ("id:Bank", []),
    ("-id:bank rates", ["rates"]),
    ("= bank", ["bank", "quoted", "run"]),
    ("bank = rates", ["bank"]),
    ("colour:bank", []),
    ("bank~0", ["bank", "quoted", "run"]),
    ('"she * late"', []),
    ('"she late"~1', ["runs"]),
    ("she is OR runs late", ["running", "runs"]),
]

LABELS_AND_DATES = [
    ("heparin", "a1 a3 a6 a7"),
    ("heparin platelets", "a1 a6"),
    ("heparin -platelets", "a3 a7"),
    ("heparin plasma", "a3"),
    ("heparin OR plasma", "a1 a2 a3 a4 a5 a6 a7"),
    ("heparin | plasma", "a1 a2 a3 a4 a5 a6 a7"),
    ("heparin || plasma", "a1 a2 a3 a4 a5 a6 a7"),
    ("heparin AND plasma", "a3"),
    ("heparin && plasma", "a3"),
    ("heparin & plasma", "a3"),
    ("heparin NOT plasma", "a1 a6 a7"),
    ("NOT heparin", "a2 a4 a5 a8"),
    ("-heparin", "a2 a4 a5 a8"),
    ("--heparin", "a2 a4 a5 a8"),
    ("heparin -(plasma OR aspirin)", "a1 a7"),
    ("heparin -plasma -aspirin", "a1 a7"),
    ("(heparin OR plasma) platelets", "a1 a6"),
    ("(heparin platelets) OR plasma", "a1 a2 a3 a4 a5 a6"),
    ("heparin platelets OR plasma", "a1 a3 a6"),
    ("NOT heparin OR plasma", "a2 a3 a4 a5 a8"),
    ('"red cells"', "a1 a3"),
    ('"red cell"', "a1 a3"),
    ("“red cells”", "a1 a3"),
    ("«red cells»", "a1 a3"),
    ("'red cells'", "a1 a3"),
    ("=“red cells”", "a1 a3"),
    ('="red cell"', ""),
    ('="Red Cells"', "a1 a3"),
    ('"cells red"', ""),
    ('"red cells"~1', "a1 a2 a3"),
    ('"red cell"~1', "a1 a2 a3"),
    ('"heparin plasma"~1', "a3"),
    ('"heparin plasma"~0', ""),
    ('"plasma heparin"~5', ""),
    ("title:heparin", "a1 a7"),
    ("title:platelets", "a1 a6"),
    ('title:"red cells"', "a3"),
    ("title:(heparin OR plasma)", "a1 a2 a7"),
    ("title:plate*", "a1 a6"),
    ("title:pl?telets", "a1 a6"),
    ("title:platlets~", "a1 a6"),
    ("title:=platelets", "a1 a6"),
    ("title:=platelet", ""),
    ("-title:heparin heparin", "a3 a6"),
    ("topic:News", "a1 a3 a6"),
    ("topic:news", "a1 a3 a6"),
    ("TOPIC:NEWS", "a1 a3 a6"),
    ("tag:News", "a1 a3 a6"),
    ('category:"RBC Transfusion"', "a1 a7"),
    ('topic:"rbc transfusion"', "a1 a7"),
    ("topic:(RBC Transfusion OR Don)", "a1 a5 a7"),
    ('topic:"Coagulation & Plasma"', "a2"),
    ('topic:"the ""best"" of"', "a8"),
    ("topic:News heparin", "a1 a3 a6"),
    ("-topic:News heparin", "a7"),
    ("topic:News -kind:news", "a6"),
    ("kind:podcast", "a2 a4"),
    ('kind:"question of the day"', "a7"),
    ("type:news", "a1 a3"),
    ('author:"Jane Smith"', "a1 a2"),
    ('by:"jane smith"', "a1 a2"),
    ('author:"Jorg Maier"', "a2 a4"),
    ("author:Smith", "a1 a2 a3"),
    ('author:"smith, jane"', "a1 a2"),
    ('author:="Jane Smith"', "a1 a2"),
    ('author:="Smith"', ""),
    ("author:jorg", "a2 a4"),
    ("author:smit", ""),
    ("author:(Jane Smith OR Anonymous)", "a1 a2 a6"),
    ("language:de", "a4"),
    ("lang:en", "a1 a2 a3 a6 a7 a8"),
    ("language:en-GB", "a8"),
    ("language:fr", "a5"),
    ("id:a1", "a1"),
    ("id:A1", ""),
    ("id:a1 OR id:a2", "a1 a2"),
    ("url:https://example.org/a1", "a1"),
    ("https://example.org/a1", "a1"),
    ('url:"https://example.org/a2?x=1"', "a2"),
    ("date:2016", "a1 a2"),
    ("date:2016-05", "a1"),
    ("date:2016-05-01", "a1"),
    ("date:2016-12..2017-01", "a2 a3"),
    ("date:2016..2018", "a1 a2 a3 a4"),
    ("date:2018..2016", "a1 a2 a3 a4"),
    ("date:[2016 TO 2018]", "a1 a2 a3 a4"),
    ("date:{2016 TO 2018}", "a3"),
    ("date:[2016 TO 2018}", "a1 a2 a3"),
    ("date:{2016 TO 2018]", "a3 a4"),
    ("date:2016 to 2018", "a1 a2 a3 a4"),
    ("date:2016 TO 2018 plasma", "a2 a3 a4"),
    ("date:(2016 TO 2018)", "a1 a2 a3 a4"),
    ("date:february 2018 to march 2020 -date:2019", "a4 a5 a7 a8"),
    ("date:>2016", "a3 a4 a5 a7 a8"),
    ("date:>=2016", "a1 a2 a3 a4 a5 a7 a8"),
    ("date:<2017", "a1 a2"),
    ("date:<=2016-05-01", "a1"),
    ("since:2019", "a5 a7 a8"),
    ("until:2016", "a1 a2"),
    ("before:2016-12-31", "a1"),
    ("after:2016-12-31", "a3 a4 a5 a7 a8"),
    ("since:2017 until:2018", "a3 a4"),
    ("since:2018 until:2017", "a3 a4"),
    ("date:*", "a1 a2 a3 a4 a5 a7 a8"),
    ("-date:*", "a6"),
    ('date:"february 2018"', "a4"),
    ("date:februar-2018", "a4"),
    ("date:february 2020", "a5"),
    ("date:29 february 2020", "a5"),
    ('date:"winter 2019"', "a5 a7"),
    ("date:2020-Q1", "a5 a7 a8"),
    ("date:2016-H2", "a2"),
    ("date:2010s", "a1 a2 a3 a4"),
    ('date:"last year"', ""),
    ('date:"past 2 years"', "a5 a7 a8"),
    ("date:yesterday", "a5"),
    ("date:today", "a8"),
    ("date:nonsense", "a1 a2 a3 a4 a5 a6 a7 a8"),
    ("date:2017-13 heparin", "a1 a3 a6 a7"),
    ("heparin date:2016..2017 topic:News", "a1 a3"),
    ("heparin date:2016 OR date:2017", "a1 a3"),
    ("date:2016 date:2018", ""),
    ("warfarin", "a6 a8"),
    ("warfarin -aspirin", "a8"),
    ("told eve", "a7"),
    ("häuser", "a4"),
    ("haus", "a4"),
    ("Hauser", "a4"),
    ("plättchen", "a4"),
    ("plattchen", "a4"),
    ("=plättchen", "a4"),
    ("=plattchen", "a4"),
    ("élève", "a5"),
    ("eleve", "a5"),
    ("élèves", "a5"),
    ("l'hôpital", "a5"),
    ("hopital", "a5"),
    ("donor", "a8"),
    ("donors", "a8"),
    ("donates", ""),
    ("donn*", "a5"),
    ("plas*", "a2 a3 a4 a5"),
    ("*telets", "a1 a6 a8"),
    ("p*s", "a1 a6 a8"),
    ("platelets~1", "a1 a6 a8"),
    ("platlets~", "a1 a6 a8"),
    ("plasm~1", "a2 a3 a4 a5"),
    ("=plasma", "a2 a3 a4 a5"),
    ("=donor", ""),
    ("=donors", "a8"),
    ("wafarin~", "a6 a8"),
    ("wafarin~1", "a6 a8"),
    ("hepa?in", "a1 a3 a6 a7"),
    ("he*in", "a1 a3 a6 a7"),
    ('"plasma stops" OR "plasma fehlen"', "a2 a4"),
    ('"plasma fehlen"', "a4"),
    ("(((heparin)))", "a1 a3 a6 a7"),
    ("((heparin)", "a1 a3 a6 a7"),
    ("heparin)", "a1 a3 a6 a7"),
    ('"heparin', "a1 a3 a6 a7"),
    ("heparin OR", "a1 a3 a6 a7"),
    ("OR heparin", "a1 a3 a6 a7"),
    ("AND", "a1 a2 a3 a4 a5 a6 a7 a8"),
    ("()", "a1 a2 a3 a4 a5 a6 a7 a8"),
    ('""', "a1 a2 a3 a4 a5 a6 a7 a8"),
    ("-", "a1 a2 a3 a4 a5 a6 a7 a8"),
    ("*", "a1 a2 a3 a4 a5 a6 a7 a8"),
    ("heparin *", "a1 a3 a6 a7"),
    ("+heparin +plasma", "a3"),
    ("heparin, plasma; bleeding!", ""),
    ("HEPARIN", "a1 a3 a6 a7"),
    ("ｈｅｐａｒｉｎ", "a1 a3 a6 a7"),
    ("hepa­rin", "a1 a3 a6 a7"),
    ("heparin foo:bar", ""),
    ("foo:heparin", ""),
    ("topic:", "a1 a2 a3 a4 a5 a6 a7 a8"),
    ("topic: News", "a1 a3 a6"),
    ("author: Smith", "a1 a2 a3"),
    ("date:2016 -date:2016-05", "a2"),
]


AUTHORS = [
    "Pat O'Brien", "Sam O’Brien", "OBrien, Tim", "Brien", "Ann García", "Smith-Jones, Kim", "Kim Smith Jones",
    "Jones", "J.R.R. Tolkien", "Jean-Luc Picard", "Jean Luc", "D'Arcy", "van der Berg", "João Sá", "Jack McDonald",
    "李明",
]  # fmt: skip

BY_AUTHOR = [
    ("author:obrien", ["OBrien, Tim", "Pat O'Brien", "Sam O’Brien"]),
    ("author:OBrien", ["OBrien, Tim", "Pat O'Brien", "Sam O’Brien"]),
    ("author:o'brien", ["OBrien, Tim", "Pat O'Brien", "Sam O’Brien"]),
    ("author:O’Brien", ["OBrien, Tim", "Pat O'Brien", "Sam O’Brien"]),
    ('author:"O’Brien"', ["OBrien, Tim", "Pat O'Brien", "Sam O’Brien"]),
    ('author:"pat o\'brien"', ["Pat O'Brien"]),
    ('author:"obrien, pat"', ["Pat O'Brien"]),
    ("author:brien", ["Brien", "Pat O'Brien", "Sam O’Brien"]),
    ("author:garcia", ["Ann García"]),
    ("author:GARCÍA", ["Ann García"]),
    ("author:smith-jones", ["Kim Smith Jones", "Smith-Jones, Kim"]),
    ("author:smith–jones", ["Kim Smith Jones", "Smith-Jones, Kim"]),
    ("author:smithjones", ["Smith-Jones, Kim"]),
    ('author:"smith jones"', ["Kim Smith Jones", "Smith-Jones, Kim"]),
    ("author:jones", ["Jones", "Kim Smith Jones", "Smith-Jones, Kim"]),
    ("author:jrr", ["J.R.R. Tolkien"]),
    ("author:J.R.R.", ["J.R.R. Tolkien"]),
    ("author:jeanluc", ["Jean-Luc Picard"]),
    ("author:jean-luc", ["Jean Luc", "Jean-Luc Picard"]),
    ("author:darcy", ["D'Arcy"]),
    ('author:"van der berg"', ["van der Berg"]),
    ("author:berg", ["van der Berg"]),
    ("author:joao", ["João Sá"]),
    ("author:sa", ["João Sá"]),
    ("author:mcdonald", ["Jack McDonald"]),
    ("author:donald", []),
    ("author:李明", ["李明"]),
    ("author:=obrien", []),
    ("author:=brien", ["Brien"]),
    ("author:=“kim smith jones”", ["Kim Smith Jones"]),
    ('author:="pat o\'brien"', ["Pat O'Brien"]),
    ("author:(obrien OR garcia)", ["Ann García", "OBrien, Tim", "Pat O'Brien", "Sam O’Brien"]),
    ("author:obrien -author:tim", ["Pat O'Brien", "Sam O’Brien"]),
]


@pytest.mark.parametrize(("query", "expected"), BY_AUTHOR)
def test_authors_are_found_however_their_names_are_written(tmp_path: Path, query: str, expected: list[str]) -> None:
    """Any words of the name find its articles: without accents, apostrophes, hyphens and points, too."""
    with open_local(str(tmp_path / "index"), create=True, settings=Settings()) as archive:
        archive.add(Article(name, "n", "n", authors=[name]) for name in AUTHORS)
        assert sorted(hit.id for hit in archive.search(query, limit=100).hits) == expected
        assert archive.count(archive.search(query).receipt.canonical) == len(expected)


@pytest.mark.parametrize(
    ("query", "offered"),
    [
        ("author:obrein", "Brien"),
        ("author:garica", "Ann García"),
        ('author:"ann garica"', "Ann García"),
        ('author:"kim jonse"', "Kim Smith Jones"),
        ("author:jonse", "Jones"),
        ('author:"jaen luc picrad"', "Jean-Luc Picard"),
        ('author:"brien garcia"', "Brien"),
        ("author:toklien", "J.R.R. Tolkien"),
    ],
)
def test_the_nearest_author_is_offered(tmp_path: Path, query: str, offered: str) -> None:
    """A name that nobody has is answered with who has a name like it, first the nearest."""
    with open_local(str(tmp_path / "index"), create=True, settings=Settings()) as archive:
        archive.add(Article(name, "n", "n", authors=[name]) for name in AUTHORS)
        page = archive.search(query)
        assert page.total == 0
        assert page.receipt.remarks[0].reason.endswith(f"did you mean {offered}?")
        assert page.suggestions[0].count == archive.count(page.suggestions[0].query) > 0


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalArchive]:
    """One article for each way to write something."""
    folder = tmp_path_factory.mktemp("names") / "index"
    with open_local(str(folder), create=True, settings=Settings()) as archive:
        archive.add(Article(name, "n", body) for name, body in BODIES.items())
        yield archive


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalArchive]:
    """Articles with labels and dates, searched half an hour into 1 March 2020 in Vienna."""
    folder = tmp_path_factory.mktemp("filed") / "index"
    settings = Settings(time_zone="Europe/Vienna")
    with open_local(str(folder), create=True, settings=settings) as archive:
        archive.add(FILED)
    now = datetime(2020, 2, 29, 23, 30, tzinfo=UTC)
    with LocalArchive(Path(folder), settings, now=lambda: now) as archive:
        yield archive


@pytest.mark.parametrize(("query", "expected"), NAMES)
def test_names_are_found_as_people_write_them(names: LocalArchive, query: str, expected: list[str]) -> None:
    """Names, codes, scripts, patterns and words as written find these articles and no others."""
    assert sorted(hit.id for hit in names.search(query, limit=100).hits) == expected


@pytest.mark.parametrize("word", ["the", "to", "be", "is", "a", "for"])
def test_the_commonest_words_are_words(names: LocalArchive, word: str) -> None:
    """A word of which every text is full finds all the texts that have it, and no others."""
    having = {name for name, body in BODIES.items() if word in re.findall(r"\w+", body.lower())}

    assert having
    assert {hit.id for hit in names.search(f"={word}", limit=100).hits} == having
    assert having <= {hit.id for hit in names.search(word, limit=100).hits}


@pytest.mark.parametrize(("query", "expected"), LABELS_AND_DATES)
def test_labels_dates_and_operators_choose(filed: LocalArchive, query: str, expected: str) -> None:
    """Fields, dates, operators and whatever is unbalanced find these articles and no others."""
    page = filed.search(query, limit=100)
    assert sorted(hit.id for hit in page.hits) == expected.split()
    assert page.total == filed.count(query) == len(expected.split())


@pytest.mark.parametrize(
    ("query", "first"), [("café", "café"), ("CAFÉ", "café"), ("cafés", "cafés"), ("Zürich", "zurich")]
)
def test_accents_typed_come_first(names: LocalArchive, query: str, first: str) -> None:
    """An article with the accents typed stands above its folded twins, and as many match as without them."""
    page = names.search(query)
    assert page.hits[0].id == first
    assert page.total == names.search(query.translate(str.maketrans("éÉü", "eEu"))).total


def test_accents_typed_outweigh_frequency(names: LocalArchive) -> None:
    """One word with its accents beats many without, also in a title."""
    with open_local(str(names.folder.parent / "twins"), create=True, settings=Settings()) as archive:
        archive.add([
            Article("plain", "Cafe cafe", "Cafe cafe cafe cafe."),
            Article("accent", "A long title about something else", "Once there was a café " + "and more " * 50),
        ])  # fmt: skip
        assert [hit.id for hit in archive.search("café").hits] == ["accent", "plain"]
        assert [hit.id for hit in archive.search("cafe").hits] == ["plain", "accent"]


@pytest.mark.parametrize(
    "query",
    [
        "x" * 40_000,
        "heparin " * 5000,
        "(" * 8000,
        "date:nonsense",
        "ʼ",
        "\u0301",
        "\u0301*",
        "=\u0301",
        "a\u0301~",
        '"',
        "-",
        "~",
    ],
)
def test_nothing_typed_is_an_error_or_silent(filed: LocalArchive, query: str) -> None:
    """A query that finds nothing, or of which something was left out, says why."""
    page = filed.search(query)
    assert page.total == 8 or page.receipt.remarks


@pytest.mark.parametrize(
    ("query", "title", "marked"),
    [
        ("wom?n", "Two women and a woman", ["women", "woman"]),
        ("*cillin", "Penicillin or amoxicillin", ["Penicillin", "amoxicillin"]),
        ("heparn~", "Heparin, hepatitis, heparins", ["Heparin", "heparins"]),
        ("=run", "Run, runs, running", ["Run"]),
        ('="red cells"', "Red cell, red cells, red cells", ["red cells", "red cells"]),
        ("=café", "A café, a cafe", ["café"]),
        ("U.S.", "The US and the U.S. told us", ["US", "U.S"]),
        ("COVID-19", "COVID-19 and covid19", ["COVID-19", "covid19"]),
        ("東京*", "東京都は日本", ["東京"]),
    ],
)
def test_what_matched_is_marked(tmp_path: Path, query: str, title: str, marked: list[str]) -> None:
    """The words that a pattern, an approximate or an exact word found are marked, and no others."""
    with open_local(str(tmp_path / "index"), create=True, settings=Settings()) as archive:
        archive.add([Article("a", title, title)])
        (hit,) = archive.search(query).hits
    assert [title[start:end] for start, end in hit.title_marks] == marked
    assert [s.text[start:end] for s in hit.snippets for start, end in s.marks] == marked
