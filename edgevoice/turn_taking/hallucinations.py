"""Detects Whisper's hallucinations: text that it makes up for silence, noise and music.

It often makes up phrases that end videos. Such a phrase is rejected only with a second sign of
doubt: a user who clearly says "thank you" is answered. Whisper is seldom certain of a single word,
for example "okay"; there, voice that is as long as a word is enough.
"""

from __future__ import annotations

import re

from edgevoice.protocols import Transcript
from edgevoice.settings import SttSettings
from edgevoice.words import words

MOST_COMPRESSION = 2.4
"""Above this the text repeats itself; Whisper's own limit."""
MOST_CHARACTERS, MOST_AT_ONCE = 60.0, 15
"""Most characters a second of voice, and an allowance. Hasty speech has 35."""
LEAST_VOICED = 0.25
"""Seconds of voice below which a stock phrase is rejected."""
WORD_VOICED = 0.8
"""Longest voiced time of one word, in seconds. Noise that Whisper takes for a word is longer."""
MUCH_VOICED = 0.5
"""Seconds of voice, by the speech detector, that outweigh a high no-speech probability."""
DOUBTFUL_NO_SPEECH = 0.3
DOUBTFUL_LOGPROB = -0.6
HOPELESS = 0.5
"""How far below the least log-probability a transcript is rejected without a second sign."""

_PHRASES = frozenset(
    re.sub(r"\s+", " ", phrase).strip()
    for phrase in """
    thank you|thank you very much|thank you so much|thanks|thank you for watching
    |thanks for watching|thank you so much for watching
    |thanks for watching and ill see you next time
    |thank you for listening|please subscribe|please subscribe to my channel|subscribe
    |like and subscribe|dont forget to subscribe|see you next time|see you in the next video
    |ill see you in the next video|ill see you next time|see you later|bye|bye bye|byebye|goodbye
    |you|oh|uh|um|hmm|mm|mmm|mhm|ah|so|okay|ok|yeah|the|the end|i|a|im sorry|music|applause|silence
    |laughter|sigh|sighs|beep|click|foreign|blank audio|inaudible|no audio
    |subtitles by the amaraorg community|subtitles by steamteamextra|transcription by castingwords
    |transcribed by httpsotterai|amaraorg
    |captioning by|satsang with mooji|teksting av nicolai winther
    |untertitel der amaraorgcommunity|untertitel im auftrag des zdf für funk|untertitelung des zdf
    |vielen dank|vielen dank fürs zuschauen|bis zum nächsten mal|tschüss|danke
    |soustitres réalisés para la communauté damaraorg
    |soustitres réalisés par la communauté damaraorg
    |merci|merci davoir regardé cette vidéo|abonnezvous
    |subtítulos realizados por la comunidad de amaraorg|gracias|gracias por ver el video
    |suscríbete|suscríbete al canal|legendas pela comunidade amaraorg|obrigado|obrigada
    |sottotitoli creati dalla comunità amaraorg|grazie|sottotitoli e revisione a cura di qtss
    |ondertitels ingediend door de amaraorg gemeenschap|bedankt voor het kijken
    |napisy stworzone przez społeczność amaraorg|dziękuję|dziękuję za uwagę
    |продолжение следует|спасибо за просмотр|спасибо|субтитры сделал dimatorzok
    |субтитры создавал dimatorzok|redigering av
    |ご視聴ありがとうございました|ありがとうございました|チャンネル登録お願いします
    |请不吝点赞订阅转发打赏支持明镜与点点栏目|谢谢观看|谢谢|字幕由amaraorg社区提供|字幕志愿者杨茜茜
    |시청해주셔서 감사합니다|감사합니다|구독과 좋아요 부탁드립니다
    """.replace("\n", " ").split("|")
)
_ANSWERS = frozenset(
    (
        *("ok", "okay", "yeah", "thanks", "bye", "byebye", "goodbye", "danke", "tschüss", "merci"),
        *("gracias", "obrigado", "obrigada", "grazie", "dziękuję", "спасибо", "谢谢"),
    )
)
"""Those of them that are a whole turn where somebody answers or takes their leave."""
_CREDITS = re.compile(
    r"amara\.org|^(?:subtitles|captions|transcribed|transcription) by "
    r"|^untertitel(?:ung)? (?:der|des|im)"
    r"|^sous-titr|^legendas pel|^субтитры|^字幕|请不吝点赞|ご視聴ありがとう",
    re.IGNORECASE,
)
_SIGN_OFF = re.compile(
    r"\b(?:thanks|thank you|thank you so much) for (?:watching|listening|viewing)\b"
    r"|\bsubscribe to (?:my|the|our) channel\b|\bin the next video\b",
    re.IGNORECASE,
)
"""What nobody says to an assistant, whatever comes with it."""
_DESCRIPTION = re.compile(r"\s*(?:[\[(*♪♫♬][^\])*♪♫♬]*(?:[\])*♪♫♬]|$)[\s.,!]*)+")


def is_nobody(
    transcript: Transcript, seconds: float, voiced_seconds: float, settings: SttSettings
) -> str | None:
    """Why this transcript is no speech of the user, or None if it is.

    `seconds` is the length of the clip, `voiced_seconds` its voiced time by the speech detector (0
    if unknown).
    """
    text = transcript.text.strip()
    if not text:
        return "nothing was recognized"
    if not any(char.isalnum() for char in text):
        return "only punctuation was recognized"
    if _DESCRIPTION.fullmatch(text):
        return "a sound, not words"
    if transcript.compression > MOST_COMPRESSION or _repeats(text):
        return "the text repeats itself"
    if transcript.logprob < settings.min_logprob:
        if transcript.no_speech > settings.no_speech:
            return "probably no speech"
        # A single rare word, clearly said, is uncertain too: it takes a second sign.
        hopeless = transcript.logprob < settings.min_logprob - HOPELESS
        doubted = transcript.no_speech > DOUBTFUL_NO_SPEECH and voiced_seconds < MUCH_VOICED
        if hopeless or doubted:
            return "too uncertain to be answered"
    if _CREDITS.search(text):
        return "a phrase Whisper makes up for silence"
    phrase = " ".join(words(text))
    if (phrase in _PHRASES or _SIGN_OFF.search(text)) and (
        transcript.no_speech > DOUBTFUL_NO_SPEECH
        or transcript.logprob < DOUBTFUL_LOGPROB
        or 0 < voiced_seconds < LEAST_VOICED
    ):
        likely = (
            transcript.no_speech <= settings.no_speech
            and transcript.logprob >= settings.min_logprob
        )
        one_word = phrase in _ANSWERS and LEAST_VOICED <= voiced_seconds <= WORD_VOICED
        if not (likely and one_word):
            return "a phrase Whisper makes up for silence"
    if len(text) > MOST_AT_ONCE + MOST_CHARACTERS * (voiced_seconds or seconds):
        return "more words than the sound can hold"
    return None


def _repeats(text: str) -> bool:
    """Whether the text is one word or short phrase four times or more, and nothing else."""
    said = words(text)
    return any(
        len(said) >= 4 * size and said == (said[:size] * len(said))[: len(said)]
        for size in range(1, 5)
    )
