"""What is said into somebody's speech: to show that one listens, or to make them stop.

By language, as whole utterances; marks, capitals and repetitions do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from edgevoice.turn_taking.lexicon import NONE_KNOWN, TONGUES
from edgevoice.words import words


def _phrases(text: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(words(phrase)) for phrase in text.split("|"))


_VOCAL = re.compile(
    r"m+h*m+|h+m+|m+|h+|u+h+(?:hu+h+)?|u+h*m+|e+h*m+|e+r+|hu+h|a+h+a*|o+h+|e+h+|u+g+h+|ou+ch|oo+f|pf+|a*hem|a*choo|o+w"
    r"|(?:m*[hk][aeiou]+h?){2,}|ha+h?|wo+w|te?hee|ok|okay|okey|mkay|kay"
)
"""Sounds of no language: humming, laughing, coughing, as a recognizer spells them."""

LISTENING: dict[str, frozenset[tuple[str, ...]]] = {
    "en": _phrases(
        "yeah|yep|yup|yes|right|alright|all right|sure|really|i see|got it|i got it|gotcha|cool"
        "|nice|good|great|fine|exactly|true|interesting|of course|makes sense|that makes sense|aha"
        "|oh really|oh wow|oh i see|oh yeah|good to know|fair enough|absolutely|indeed|ah okay"
        "|no way|yeah right|very good|oh nice|oh good|i know|totally|definitely|amazing"
    ),
    "de": _phrases(
        "ja|jaja|genau|stimmt|ach so|achso|ach|aha|verstehe|ich verstehe|klar|na klar|gut|sehr gut"
        "|alles klar|richtig|schön|super|toll|echt|wirklich|interessant|jawohl|natürlich|ach ja"
    ),
    "fr": _phrases(
        "oui|ouais|d'accord|bien|très bien|je vois|voilà|exact|exactement|c'est vrai|super|bon"
        "|ah bon|ah oui|vraiment|bien sûr|je comprends|c'est ça|intéressant"
    ),
    "es": _phrases(
        "sí|claro|vale|ajá|ya|ya veo|entiendo|bien|muy bien|de acuerdo|exacto|bueno|cierto|genial"
        "|en serio|por supuesto|interesante|así es"
    ),
    "it": _phrases(
        "sì|va bene|certo|capisco|ho capito|esatto|giusto|bene|già|ecco|davvero|d'accordo|perfetto"
        "|interessante|è vero|molto bene"
    ),
    "pt": _phrases(
        "sim|tá|tá bom|está bem|certo|entendi|entendo|claro|pois é|pois|isso|bem|muito bem|exato"
        "|aham|ótimo|sério|verdade|legal|interessante"
    ),
    "nl": _phrases(
        "ja|jaja|oké|precies|juist|goed|klopt|inderdaad|snap ik|ik snap het|aha|mooi|prima|echt"
        "|begrijpelijk|leuk|natuurlijk|interessant|heel goed"
    ),
    "ja": _phrases(
        "はい|うん|ええ|そうですね|そうですか|なるほど|へえ|そうか|そうなんだ|ふーん|ああ"
    ),
    "zh": _phrases("嗯|嗯嗯|好|好的|对|对的|是|是的|哦|知道了|明白|明白了|原来如此|哈哈"),
}
"""Backchannels: the one who speaks goes on."""

STOPPING: dict[str, frozenset[tuple[str, ...]]] = {
    "en": _phrases(
        "stop|stop it|stop that|stop talking|stop speaking|stop now|wait|wait a minute"
        "|wait a second|wait a moment|hold on|hang on|one moment|one second|just a moment"
        "|just a second|hold it|be quiet|quiet|shut up|hush|shush|shh|silence|be silent|enough"
        "|that's enough|that is enough|that will do|never mind|nevermind|cancel|pause"
        "|cut it out|no more"
    ),
    "de": _phrases(
        "stopp|stop|halt|warte|warte mal|warte kurz|moment|einen moment|moment mal|ruhe|sei still"
        "|sei ruhig|sei leise|still|genug|es reicht|das reicht|reicht|schluss|hör auf|pause"
        "|pst|psst|vergiss es|abbrechen|halt den mund|einen augenblick"
    ),
    "fr": _phrases(
        "stop|arrête|arrêtez|arrête-toi|attends|attendez|un moment|une seconde|une minute|tais-toi"
        "|taisez-vous|silence|chut|ça suffit|assez|pause|laisse tomber|annule|un instant"
    ),
    "es": _phrases(
        "para|para ya|basta|ya basta|espera|espere|espera un momento|un momento|cállate|silencio"
        "|detente|alto|déjalo|cancela|pausa|stop|suficiente|un segundo"
    ),
    "it": _phrases(
        "basta|fermo|fermati|ferma|aspetta|un momento|un attimo|zitto|zitta|stai zitto|silenzio"
        "|smettila|pausa|annulla|lascia stare|stop|basta così|un secondo"
    ),
    "pt": _phrases(
        "para|pare|parou|espera|espere|um momento|cala a boca|silêncio|chega|basta|pausa|cancela"
        "|cancele|deixa|deixa pra lá|stop|um segundo|um minuto"
    ),
    "nl": _phrases(
        "stop|stop maar|wacht|wacht even|momentje|even wachten|stil|wees stil|genoeg|hou op|pauze"
        "|laat maar|zwijg|stilte|ho|een moment|annuleer"
    ),
    "ja": _phrases(
        "止めて|やめて|ストップ|待って|ちょっと待って|静かに|静かにして|もういい|止まって"
    ),
    "zh": _phrases("停|停下|停止|停一下|等一下|等等|安静|别说了|够了|闭嘴|暂停"),
}
"""The one who speaks falls silent, and nothing is to be answered."""


def is_backchannel(text: str, language: str = "en") -> bool:
    """Whether `text` only shows that somebody listens, laughs or clears their throat."""
    said = words(text)
    listening = LISTENING.get(language, frozenset())
    return bool(said) and _made_of(said, listening, ())


def is_stop(text: str, language: str = "en") -> bool:
    """Whether `text` asks for silence, and for nothing else."""
    said = words(text)
    stopping = STOPPING.get(language, frozenset())
    lexicon = TONGUES.get(language, NONE_KNOWN)
    around = lexicon.leading | lexicon.connectives | lexicon.fillers | lexicon.polite
    loose = {word for phrase in around for word in words(phrase)}
    return any(_made_of(said[n:], stopping, loose) for n in _starts(said, stopping, loose))


def telling(text: str, language: str = "en") -> int:
    """How many words there are in `text` that are no part of any backchannel."""
    listening = {word for phrase in LISTENING.get(language, ()) for word in phrase}
    lexicon = TONGUES.get(language, NONE_KNOWN)
    idle = listening | lexicon.fillers | lexicon.leading | lexicon.connectives
    return sum(word not in idle and not _VOCAL.fullmatch(word) for word in words(text))


def _starts(
    said: list[str], phrases: Collection[tuple[str, ...]], loose: Collection[str]
) -> list[int]:
    """Where a phrase begins behind nothing but loose words."""
    starts = []
    for n in range(len(said)):
        if any(tuple(said[n : n + len(phrase)]) == phrase for phrase in phrases):
            starts.append(n)
        if said[n] not in loose and not _VOCAL.fullmatch(said[n]):
            break
    return starts


def _made_of(said: list[str], phrases: Collection[tuple[str, ...]], loose: Collection[str]) -> bool:
    """Whether phrases, loose words and sounds of no language are all there is."""
    reached = {0}
    for n in range(len(said)):
        if n not in reached:
            continue
        if said[n] in loose or _VOCAL.fullmatch(said[n]):
            reached.add(n + 1)
        reached.update(
            n + len(phrase) for phrase in phrases if tuple(said[n : n + len(phrase)]) == phrase
        )
    return len(said) in reached
