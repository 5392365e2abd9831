"""Which models meet a budget on this machine: calibrate, predict, choose, and check the method."""
