"""Which models answer within a budget on this machine: measured, not predicted."""
