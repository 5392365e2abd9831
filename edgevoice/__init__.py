"""edgevoice: a voice assistant that runs on your own device, and shows where every millisecond went."""

__version__ = "0.1.0"
