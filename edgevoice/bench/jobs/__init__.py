"""Long work: progress on the terminal, and work in a process of its own."""
