"""The bench: questions played into the pipeline, and what came of each."""
