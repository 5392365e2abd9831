"""Statistics of few measurements: intervals, tests, slopes, word error rate."""
