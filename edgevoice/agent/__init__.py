"""From a question to the clauses of its answer, as they can be spoken."""
