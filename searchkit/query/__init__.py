"""What did the reader ask? Text in; tree and receipt out; no index.

    reading = read_query('heparin -aspirin topic:"RBC Transfusion" since:2016', today=date.today())
    reading.node        # the tree, for `plan/` to answer
    reading.receipt     # what was understood, for people and programs

`SYNTAX.md` describes the language, `nodes.py` the trees, `normal_form.py` the shape they have.
"""

from searchkit.query.canonical import canonical
from searchkit.query.dates import named_period, parse_bound
from searchkit.query.filters import with_filters
from searchkit.query.reader import Reading, read_query

__all__ = ["Reading", "canonical", "named_period", "parse_bound", "read_query", "with_filters"]
