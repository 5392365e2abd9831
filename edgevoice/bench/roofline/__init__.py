"""The limits of this machine, and the least time that each stage needs within them."""
