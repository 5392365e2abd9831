"""Results as one HTML page or text."""
