"""The words that are put in where a sign is read aloud, language by language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

SCALES = (
    "thousand|million|billion|trillion|Tausend|Millionen?|Milliarden?|Billionen?|mille|millions?"
    "|milliards?|mil|mill[oó]n(?:es)?|milh(?:ão|ões)|bilh(?:ão|ões)|mila|milion[ei]|miliard[oi]"
    "|duizend|miljoen|miljard"
)
"""Large numbers that may stand between an amount and its coin."""


@dataclass(frozen=True, slots=True)
class Verbalization:
    """How one language says signs; an empty word leaves the sign as it is, or a pause for it."""

    code: str = ""
    """Said in place of a block of code."""
    dot: str = ""
    at: str = ""
    to: str = ""
    """Between the two numbers of a range."""
    leads_to: str = ""
    """An arrow."""
    coins: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """By sign: one of them, several."""
    and_cents: str = ""
    """Between the coins and their hundredths."""
    of_coins: str = ""
    """Between a large number and its coin."""
    words: tuple[tuple[re.Pattern[str], str], ...] = ()
    """Units and abbreviations, and what is said for them."""


def _words(
    *, hour: str, second: str, degrees: str, about: str, number: str, less: str, greater: str
) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Units that every language writes alike."""
    return (
        (re.compile(r"\bkm/h\b"), hour),
        (re.compile(r"\bm/s\b"), second),
        (re.compile(r"\s?°\s?C\b"), f" {degrees} Celsius"),
        (re.compile(r"\s?°\s?F\b"), f" {degrees} Fahrenheit"),
        (re.compile(r"(?<!\w)#(?=\d)"), f"{number} "),
        (re.compile(r"(?<!\w)[~≈]\s?(?=\d)"), f"{about} "),
        (re.compile(r"\s<\s"), f" {less} "),
        (re.compile(r"\s>\s"), f" {greater} "),
    )


def _short(**said: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Abbreviations: `zb="zum Beispiel"` is "z.B.", "z. B." or "z.b.", said so."""
    return tuple(
        (re.compile(rf"\b{'[.]?[ ]?'.join(letters.split('_'))}\.", re.I), words)
        for letters, words in said.items()
    )


def _closing(**said: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Abbreviations that may end a sentence, whose full stop then stays."""
    return tuple(
        pair
        for letters, words in said.items()
        for pair in (
            (re.compile(rf"\b{letters}\.(?=\s*$|\s+[A-ZÀ-Þ])", re.I), f"{words}."),
            (re.compile(rf"\b{letters}\.", re.I), words),
        )
    )


NONE_KNOWN = Verbalization()

SAYINGS: Mapping[str, Verbalization] = {
    "en": Verbalization(
        code="I have left out the code.",
        dot="dot",
        at="at",
        to="to",
        leads_to="to",
        coins={
            "$": ("dollar", "dollars"),
            "€": ("euro", "euros"),
            "£": ("pound", "pounds"),
            "¥": ("yen", "yen"),
            "₹": ("rupee", "rupees"),
        },
        words=(
            (re.compile(r"\b[iI]\.e\.,?"), "that is,"),
            *_words(
                hour="kilometers per hour",
                second="meters per second",
                degrees="degrees",
                about="about",
                number="number",
                less="less than",
                greater="greater than",
            ),
        ),
    ),
    "de": Verbalization(
        code="Den Code habe ich weggelassen.",
        dot="Punkt",
        at="ät",
        to="bis",
        coins={
            "$": ("Dollar", "Dollar"),
            "€": ("Euro", "Euro"),
            "£": ("Pfund", "Pfund"),
            "¥": ("Yen", "Yen"),
            "₹": ("Rupie", "Rupien"),
        },
        words=(
            *_short(
                z_B="zum Beispiel", d_h="das heißt", u_a="unter anderem", bzw="beziehungsweise"
            ),
            *_closing(usw="und so weiter"),
            *_short(ca="circa", Nr="Nummer", Std="Stunden", Min="Minuten"),
            *_words(
                hour="Kilometer pro Stunde",
                second="Meter pro Sekunde",
                degrees="Grad",
                about="etwa",
                number="Nummer",
                less="kleiner als",
                greater="größer als",
            ),
        ),
    ),
    "fr": Verbalization(
        code="J'ai laissé le code de côté.",
        dot="point",
        at="arobase",
        to="à",
        coins={
            "$": ("dollar", "dollars"),
            "€": ("euro", "euros"),
            "£": ("livre", "livres"),
            "¥": ("yen", "yens"),
            "₹": ("roupie", "roupies"),
        },
        of_coins="de",
        words=(
            *_short(p_ex="par exemple"),
            *_closing(etc="et cetera"),
            (re.compile(r"\bc\.?-à-d\."), "c'est-à-dire"),
            *_words(
                hour="kilomètres heure",
                second="mètres par seconde",
                degrees="degrés",
                about="environ",
                number="numéro",
                less="inférieur à",
                greater="supérieur à",
            ),
        ),
    ),
    "es": Verbalization(
        code="He omitido el código.",
        dot="punto",
        at="arroba",
        to="a",
        coins={
            "$": ("dólar", "dólares"),
            "€": ("euro", "euros"),
            "£": ("libra", "libras"),
            "¥": ("yen", "yenes"),
            "₹": ("rupia", "rupias"),
        },
        and_cents="con",
        of_coins="de",
        words=(
            *_short(p_ej="por ejemplo", Sr="señor", Sra="señora"),
            *_closing(etc="etcétera"),
            *_words(
                hour="kilómetros por hora",
                second="metros por segundo",
                degrees="grados",
                about="unos",
                number="número",
                less="menor que",
                greater="mayor que",
            ),
        ),
    ),
    "it": Verbalization(
        code="Ho tralasciato il codice.",
        dot="punto",
        at="chiocciola",
        to="a",
        coins={
            "$": ("dollaro", "dollari"),
            "€": ("euro", "euro"),
            "£": ("sterlina", "sterline"),
            "¥": ("yen", "yen"),
            "₹": ("rupia", "rupie"),
        },
        and_cents="e",
        of_coins="di",
        words=(
            *_short(ad_es="ad esempio", p_es="per esempio"),
            *_closing(ecc="eccetera"),
            *_words(
                hour="chilometri all'ora",
                second="metri al secondo",
                degrees="gradi",
                about="circa",
                number="numero",
                less="minore di",
                greater="maggiore di",
            ),
        ),
    ),
    "pt": Verbalization(
        code="Deixei o código de fora.",
        dot="ponto",
        at="arroba",
        to="a",
        coins={
            "$": ("dólar", "dólares"),
            "€": ("euro", "euros"),
            "£": ("libra", "libras"),
            "¥": ("iene", "ienes"),
            "₹": ("rupia", "rupias"),
        },
        and_cents="e",
        of_coins="de",
        words=(
            *_short(p_ex="por exemplo", Sr="senhor", Sra="senhora"),
            *_closing(etc="et cetera"),
            *_words(
                hour="quilômetros por hora",
                second="metros por segundo",
                degrees="graus",
                about="cerca de",
                number="número",
                less="menor que",
                greater="maior que",
            ),
        ),
    ),
    "nl": Verbalization(
        code="De code heb ik weggelaten.",
        dot="punt",
        at="apenstaartje",
        to="tot",
        coins={
            "$": ("dollar", "dollar"),
            "€": ("euro", "euro"),
            "£": ("pond", "pond"),
            "¥": ("yen", "yen"),
            "₹": ("roepie", "roepie"),
        },
        words=(
            *_short(bijv="bijvoorbeeld", d_w_z="dat wil zeggen", ca="circa"),
            *_closing(enz="enzovoort"),
            *_words(
                hour="kilometer per uur",
                second="meter per seconde",
                degrees="graden",
                about="ongeveer",
                number="nummer",
                less="kleiner dan",
                greater="groter dan",
            ),
        ),
    ),
}
