"""Results as one HTML page, text, Markdown or CSV."""
