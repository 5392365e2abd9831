"""The schema of a language's data file: each struct is a table, and unknown fields are refused.

Only `name` is required. A field that is left out turns off what needs it, for this language only.
Words and phrases are in lower case unless their field says otherwise. List only words that tell by
themselves: leave out a word with an everyday use that would mislead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct, field

Words = frozenset[str]
NO_WORDS: Words = frozenset()
Forms = Annotated[tuple[str, ...], Meta(min_length=2)]


class SentenceWords(Struct, frozen=True, forbid_unknown_fields=True):
    """Words that tell whether a transcript is complete, and phrases with a meaning of their own."""

    dangling: Words = NO_WORDS
    """Words that no sentence ends on: more follows, even after a full stop."""
    fillers: Words = NO_WORDS
    """Hesitation sounds, for example "um"."""
    leading: Words = NO_WORDS
    """Words that lead up to a sentence and say nothing about it, for example "okay"."""
    connectives: Words = NO_WORDS
    """Words that lead up to a sentence and continue the one before, for example "and"."""
    polite: Words = NO_WORDS
    """Words and phrases such as "please" and "thank you"."""
    interrogatives: Words = NO_WORDS
    """Question words."""
    auxiliaries: Words = NO_WORDS
    """Auxiliary verbs in the forms that questions use."""
    subordinators: Words = NO_WORDS
    """Words that begin a subordinate clause."""
    commands: Words = NO_WORDS
    """Verbs that begin a command to an assistant."""
    short_commands: Words = NO_WORDS
    """Whole commands of a word or two."""
    going_on: Words = NO_WORDS
    """Whole utterances that ask the assistant to continue its reply."""
    goodbyes: Words = NO_WORDS
    """Whole utterances with which somebody leaves, without punctuation."""
    wishes: tuple[str, ...] = ()
    """Beginnings of a wish; the thing wished for follows."""
    thinking: Words = NO_WORDS
    """Whole utterances that ask for time, for example "let me see"."""
    numbers: Words = NO_WORDS
    """Number words, to recognize a number that is being dictated."""
    prepositions: Words = NO_WORDS
    """Prepositions that may end a question or belong to a verb."""
    subjects: Words = NO_WORDS
    """Pronouns that make a question after an auxiliary, and complete one before a preposition."""
    relatives: Words = NO_WORDS
    """Interrogatives that continue a sentence as often as they ask."""
    particles: Words = NO_WORDS
    """Last parts of separable verbs: "turn the lights off"."""
    particle_verbs: Words = NO_WORDS
    """Verbs that take a particle."""
    degrees: Words = NO_WORDS
    """Words that follow "how" in a question."""
    giving: Words = NO_WORDS
    """Verbs of giving and telling."""
    receivers: Words = NO_WORDS
    """Pronouns that follow them; the thing given is still to come."""
    asking_endings: Words = NO_WORDS
    """For scripts without spaces: endings of questions and requests."""
    dangling_endings: Words = NO_WORDS
    """For scripts without spaces: endings that more must follow."""


class Backchannels(Struct, frozen=True, forbid_unknown_fields=True):
    """Whole utterances of a user while the assistant speaks."""

    listening: Words = NO_WORDS
    """Signs of listening, for example "I see": the assistant continues."""
    stopping: Words = NO_WORDS
    """Requests for silence: the assistant stops and answers nothing."""


class Hallucinations(Struct, frozen=True, forbid_unknown_fields=True):
    """Text that Whisper makes up for silence, noise and music."""

    phrases: Words = NO_WORDS
    """Whole transcripts, without punctuation. Users say some of them too, so a second sign of doubt
    is needed."""
    answers: Words = NO_WORDS
    """Those of `phrases` that are a whole turn when the user answers or says goodbye."""
    sign_offs: Words = NO_WORDS
    """Phrases that end a video, anywhere in the transcript."""
    credits: Words = NO_WORDS
    """Text that no user says, anywhere in the transcript."""
    credit_starts: Words = NO_WORDS
    """Text that no user says, at the start of the transcript."""


class Clauses(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a reply may be cut into clauses. Replies mix languages, so all files count together.

    Abbreviations are without their last full stop.
    """

    never_last: Words = NO_WORDS
    """Abbreviations that never end a sentence."""
    before_numbers: Words = NO_WORDS
    """Abbreviations that do not end a sentence when a number follows."""
    last_before_capital: Words = NO_WORDS
    """Abbreviations that end a sentence only when a capital letter follows."""
    conjunctions: Words = NO_WORDS
    """Conjunctions; speakers breathe before them."""
    leaning: Words = NO_WORDS
    """Words after which speakers do not pause."""


class Mathematics(Struct, frozen=True, forbid_unknown_fields=True):
    """The words of sums and comparisons. Without `minus`, signs stay as they are written."""

    minus: str = ""
    """For `-` between or before numbers."""
    plus: str = ""
    """For `+`."""
    times: str = ""
    """For `*`, `×` and `·`."""
    divided_by: str = ""
    """For `÷`."""
    over: str = ""
    """Between the two parts of a written fraction, as in `\\frac{1}{2}`."""
    equals: str = ""
    """For `=`."""
    results: Words = NO_WORDS
    """Words that stand before a result, for example "is": "5-3 is 2" is a sum."""
    squared: str = ""
    """For `²`, and `^2`."""
    cubed: str = ""
    """For `³`, and `^3`."""
    power: str = ""
    """For `^` before another number."""
    root: str = ""
    """For `√`."""
    plus_minus: str = ""
    """For `±`."""
    about_equal: str = ""
    """For `≈` between two terms."""
    not_equal: str = ""
    """For `≠`."""
    less_than: str = ""
    """For `<` between two terms."""
    greater_than: str = ""
    """For `>` between two terms."""
    at_most: str = ""
    """For `≤`."""
    at_least: str = ""
    """For `≥`."""


class TimesOfDay(Struct, frozen=True, forbid_unknown_fields=True):
    """How times of day are said; `{h}` and `{m}` are the hour and the minute."""

    minutes: str = ""
    """For 8:30, for example "{h} Uhr {m}"; without it, times stay as they are written."""
    few_minutes: str = ""
    """For 8:05, where that differs."""
    whole: str = ""
    """For 8:00."""
    one: str = ""
    """For the hour of 1:30, where that differs from the number."""
    marks: Words = NO_WORDS
    """Words that stand behind a time, or between its hour and minute, and are part of it."""
    halves: Words = NO_WORDS
    """Letters of the two halves of a day behind a time, for example "am"; they are spelled."""


class Dates(Struct, frozen=True, forbid_unknown_fields=True):
    """How dates and years are said."""

    month_first: bool = False
    """Whether 5/6/2024 is in May."""
    day_after_month: str = ""
    """CLDR's rule for the day in "March 5"; without it, the number stays."""
    before_years: Words = NO_WORDS
    """Words before a year, where years are said in another way than numbers: "in 1905"."""
    decade_marks: Mapping[str, str] = field(default_factory=dict)
    """What is written behind a decade, and as said after a word's end: "s" in "1990s"."""
    decade_stems: Mapping[str, str] = field(default_factory=dict)
    """Last letters of a decade's word, and what they become before its ending."""


class Fractions(Struct, frozen=True, forbid_unknown_fields=True):
    """How 3/4 is said: the number above, and the ordinal of the number below with an ending."""

    rule: str = ""
    """CLDR's rule for the number below; without it, fractions stay as they are written."""
    one: str = ""
    """For a 1 above."""
    ending: str = ""
    """Behind the ordinal after a 1 above."""
    several_ending: str = ""
    """Behind the ordinal after any other number above."""
    own: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Parts with a word of their own, by the number below: after 1, and after other numbers."""
    mixed: str = ""
    """For 2 3/4: "{n} and {part}"."""
    and_half: str = ""
    """For 2 1/2: "{n} and a half"."""
    spelled: str = ""
    """CLDR's rule for the number before a half, where the two become one word."""


class Ordinals(Struct, frozen=True, forbid_unknown_fields=True):
    """Ordinals that the voice does not read by itself, by CLDR's rules for number words."""

    marks: Mapping[str, str] = field(default_factory=dict)
    """What is written behind a number, and the rule: "º" = "ordinal-masculine"."""
    before: Mapping[str, str] = field(default_factory=dict)
    """Words before "3." that make it an ordinal, and the rule."""
    after: Words = NO_WORDS
    """Words behind "3." that make it an ordinal."""
    rule: str = ""
    """The rule where only the word behind tells."""


class RomanNumerals(Struct, frozen=True, forbid_unknown_fields=True):
    """How Roman numerals are said. Behind other words with a capital letter they are cardinals."""

    rulers: Words = NO_WORDS
    """Names of kings and popes, as they are written."""
    ruled: str = "{}"
    """What is said behind such a name, for example "the {}"."""
    rule: str = ""
    """CLDR's rule for it; without it, a cardinal."""
    ordinal_until: int = 100
    """The largest number that is an ordinal behind a name."""
    counted: Mapping[str, str] = field(default_factory=dict)
    """Words beside a Roman numeral, also of one letter, and the rule; empty: a cardinal."""


class Signs(Struct, frozen=True, forbid_unknown_fields=True):
    """How signs and abbreviations are read aloud, in the case in which they are to be spoken."""

    code: str = ""
    """The sentence that replaces a block of code."""
    dot: str = ""
    """For `.` in an address."""
    at: str = ""
    """For `@` in an address."""
    slash: str = ""
    """For `/` in an address."""
    to: str = ""
    """Between the two numbers of a range."""
    leads_to: str = ""
    """For an arrow; without it the voice pauses."""
    and_cents: str = ""
    """Between coins and cents."""
    of_coins: str = ""
    """Between a large number and its coin, for example "de" in "un million de dollars"."""
    of_coins_elided: str = ""
    """The same before a coin that begins with a vowel, without a space: "d'" in "d'euros"."""
    scales: Words = NO_WORDS
    """Large numbers that may stand between an amount and its coin, as they are written."""
    titles: Words = NO_WORDS
    """Abbreviations that are said without their full stop, in replies in any language: "Dr" for
    "Dr."."""
    abbreviations: Mapping[str, str] = field(default_factory=dict)
    """As written, and as said. Inner full stops are optional and may be followed by a space: "z.B."
    also stands for "z. B." and "zB."."""
    closing_abbreviations: Mapping[str, str] = field(default_factory=dict)
    """Abbreviations that may end a sentence; the full stop then stays."""
    exact_abbreviations: Mapping[str, str] = field(default_factory=dict)
    """Abbreviations that count only exactly as written."""
    number_abbreviations: Mapping[str, str] = field(default_factory=dict)
    """Abbreviations that are said in full only before a number: "No." = "number". With
    "-" in front, the end of a longer word: "-str." = "straße"."""
    name_abbreviations: Mapping[str, str] = field(default_factory=dict)
    """Abbreviations that are said in full before a name: "St." = "Saint"."""
    after_names: Mapping[str, str] = field(default_factory=dict)
    """Abbreviations that are said in full behind a name: "St." = "Street"."""
    number: str = ""
    """For `#` before a number."""
    about: str = ""
    """For `~` and `≈` before a number."""
    section: str = ""
    """For `§` before a number."""
    sharp: str = ""
    """For `#` behind one letter, as in C#."""
    ratio: str = ""
    """Between the two numbers of 3:1."""
    by: str = ""
    """For "x" between two numbers, as in 4x4."""
    one: str = ""
    """For 1 before a unit or a coin, where that differs from the number."""
    foreign: str = ""
    """The sentence that replaces text in a script that the voice cannot read."""
    reasoned: str = ""
    """The sentence that replaces a reply of which nothing is to be said aloud."""
    emergency: Words = NO_WORDS
    """Numbers that are said digit by digit."""
    mathematics: Mathematics = Mathematics()
    """The table `[signs.mathematics]`."""
    clock: TimesOfDay = TimesOfDay()
    """The table `[signs.clock]`."""
    dates: Dates = Dates()
    """The table `[signs.dates]`."""
    fractions: Fractions = Fractions()
    """The table `[signs.fractions]`."""
    ordinals: Ordinals = Ordinals()
    """The table `[signs.ordinals]`."""
    roman: RomanNumerals = RomanNumerals()
    """The table `[signs.roman]`."""
    measures: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Units by their written form, singular and plural, where Unicode's CLDR has none or another
    than people say."""
    multipliers: Mapping[str, str] = field(default_factory=dict)
    """What is written between an amount and its coin, and as said: "k" = "thousand"."""
    per: Mapping[str, str] = field(default_factory=dict)
    """Words behind a slash after an amount or a unit, and as said: "month" = "a month"."""
    hundredths: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Hundredths of coins by sign, singular and plural, for amounts below one."""
    coins: Mapping[str, Forms] = field(default_factory=dict)
    """By sign: the singular, and the plural or plurals in the order of CLDR's categories (one, few,
    many, other)."""


class Language(Struct, frozen=True, forbid_unknown_fields=True):
    """All words of one language. The file is named after its code, for example `de.toml`."""

    name: str
    """The English name."""
    answer_in: str = ""
    """The instruction to answer in this language, in this language; without it, in English."""
    unclear: str = ""
    """What the assistant says when it cannot make out a word."""
    correction: str = ""
    """What leads from a wrong word to the right one, with its mark, for example "or rather,"."""
    sentences: SentenceWords = SentenceWords()
    """To tell whether the user has finished."""
    backchannels: Backchannels = Backchannels()
    """To tell whether the user interrupts."""
    hallucinations: Hallucinations = Hallucinations()
    """To ignore text that Whisper makes up."""
    clauses: Clauses = Clauses()
    """To cut a reply where a speaker would pause."""
    signs: Signs = Signs()
    """To read signs, abbreviations and amounts aloud."""
