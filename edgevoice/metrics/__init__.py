"""Numbers out, for those who collect them: never a word that was said, heard or written."""
