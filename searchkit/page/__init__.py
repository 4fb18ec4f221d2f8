"""From matching articles to the page a reader sees."""
