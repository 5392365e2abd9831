"""The models' files: where they are kept, how they are fetched, and how they are proved."""
