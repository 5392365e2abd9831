"""The way in: from the microphone, without our own voice, to utterances that are meant for us."""
