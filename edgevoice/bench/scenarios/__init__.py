"""Turn-taking scenarios: who speaks when, in which room, and what must happen."""
