"""Recorded turns for `edgevoice replay`: their files, their folder, and the recorder."""
