"""Where sound comes from and goes to: real devices, files, and what stands in for them."""
