"""Two results compared, and budgets that a result must meet."""
