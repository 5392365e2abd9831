"""The schema of a language's data file: each struct is a table, and unknown fields are refused.

Only `name` is required. A field that is left out turns off what needs it, for this language only.
Words and phrases are in lower case unless their field says otherwise. List only words that tell by
themselves: leave out a word with an everyday use that would mislead.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

Words = frozenset[str]
NO_WORDS: Words = frozenset()


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


class Units(Struct, frozen=True, forbid_unknown_fields=True):
    """Units and signs that are written alike in all languages, and how they are said."""

    kilometers_per_hour: str = ""
    """For `km/h`."""
    meters_per_second: str = ""
    """For `m/s`."""
    degrees: str = ""
    """Before "Celsius" and "Fahrenheit"."""
    about: str = ""
    """For `~` and `≈` before a number."""
    number: str = ""
    """For `#` before a number."""
    less_than: str = ""
    """For `<` between spaces."""
    greater_than: str = ""
    """For `>` between spaces."""


class Signs(Struct, frozen=True, forbid_unknown_fields=True):
    """How signs and abbreviations are read aloud, in the case in which they are to be spoken."""

    code: str = ""
    """The sentence that replaces a block of code."""
    dot: str = ""
    """For `.` in an address."""
    at: str = ""
    """For `@` in an address."""
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
    units: Units = Units()
    """The table `[signs.units]`."""
    coins: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """By sign: singular and plural."""


class Language(Struct, frozen=True, forbid_unknown_fields=True):
    """All words of one language. The file is named after its code, for example `de.toml`."""

    name: str
    """The English name."""
    answer_in: str = ""
    """The instruction to answer in this language, in this language; without it, in English."""
    unclear: str = ""
    """What the assistant says when it cannot make out a word."""
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
