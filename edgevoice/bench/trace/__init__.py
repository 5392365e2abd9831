"""Events of a session as a trace that Perfetto shows."""
