"""The interactive session: a prompt, numbered results, and commands that refine, page and open."""

from searchkit.session.loop import run_session

__all__ = ["run_session"]
