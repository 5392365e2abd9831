"""The words by which the form of a transcript is known, language by language.

Only words that tell by themselves: one with an everyday use that would mislead is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

Words = frozenset[str]
NO_WORDS: Words = frozenset()


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What is known of one language; everything may be empty."""

    dangling: Words = NO_WORDS
    """Nobody ends on these: more follows, whatever mark the recognizer has set."""
    fillers: Words = NO_WORDS
    leading: Words = NO_WORDS
    """They lead up to a sentence and tell nothing of it."""
    connectives: Words = NO_WORDS
    """They lead up to it too, and go on with what was told before."""
    polite: Words = NO_WORDS
    interrogatives: Words = NO_WORDS
    auxiliaries: Words = NO_WORDS
    subordinators: Words = NO_WORDS
    """They begin half a sentence."""
    commands: Words = NO_WORDS
    """Verbs that begin what is said to an assistant."""
    short_commands: Words = NO_WORDS
    """Whole commands of a word or two."""
    going_on: Words = NO_WORDS
    """Whole utterances that ask somebody to go on speaking."""
    wishes: tuple[str, ...] = ()
    """How a wish for something begins; what is wished for follows."""
    thinking: Words = NO_WORDS
    """Said by somebody who asks for time."""
    numbers: Words = NO_WORDS
    prepositions: Words = NO_WORDS
    """Those that may end a question, or be the last part of a verb."""
    subjects: Words = NO_WORDS
    """Pronouns that, behind an auxiliary at the beginning, make a question, and with which a
    question has its subject, so that a preposition may be its end."""
    relatives: Words = NO_WORDS
    """Interrogatives that go on with a sentence as often as they ask."""
    particles: Words = NO_WORDS
    particle_verbs: Words = NO_WORDS
    """Verbs whose last part may stand at the end: "turn the lights off"."""
    degrees: Words = NO_WORDS
    """What follows "how" in a question."""
    giving: Words = NO_WORDS
    receivers: Words = NO_WORDS
    """Who is given something; after a verb of giving, what is given is still to come."""


def _w(text: str) -> Words:
    return frozenset(text.split())


def _phrases(text: str) -> Words:
    return frozenset(phrase.strip() for phrase in text.split("|"))


NONE_KNOWN = Lexicon()

TONGUES: dict[str, Lexicon] = {
    "en": Lexicon(
        dangling=_w(
            "a an the and or but nor because although though unless whereas whether than as if"
            " my your our their very i'm you're we're they're i'll you'll we'll i've we've every"
            " each which whose versus plus minus"
        ),
        fillers=_w("um uh uhm er erm hmm hm mm mmm uh-huh"),
        leading=_w(
            "now okay ok well hey hi hello please yes no yeah oh also alright right just thanks"
        ),
        connectives=_w("so and then but"),
        polite=_phrases("please|thanks|thank you"),
        interrogatives=_w(
            "what who whom whose which when where why how what's who's where's how's when's why's"
            " what're how're what'd how'd where'd"
        ),
        auxiliaries=_w(
            "is are am was were do does did can could will would shall should may might must have"
            " has had isn't aren't wasn't weren't don't doesn't didn't can't couldn't won't"
            " wouldn't shouldn't haven't hasn't hadn't"
        ),
        subordinators=_w(
            "if when because although though while since after before unless once until"
        ),
        commands=_w(
            "tell show give get find play pause stop resume skip cancel set add remove delete"
            " create make book order buy call text send email message remind start open close"
            " launch run turn switch dim brighten lock unlock raise lower increase decrease mute"
            " unmute read write translate spell define explain describe summarize list name count"
            " calculate convert compare recommend suggest check search navigate take put bring go"
            " help wake repeat say sing brew activate deactivate enable disable change adjust"
            " schedule record save print choose pick teach keep leave clear reset restart shut"
        ),
        short_commands=_phrases(
            "stop|pause|resume|cancel|next|skip|mute|unmute|nevermind|never mind|continue|repeat"
            "|louder|quieter|go on|go back|stop it|thank you|goodbye|help"
        ),
        going_on=_phrases(
            "go on|continue|carry on|keep going|go ahead|proceed|resume|and then|and then what"
            "|what then|then what|go on then|keep talking|you were saying|as you were saying"
            "|what were you saying|where were you|finish your sentence"
            "|finish what you were saying"
        ),
        wishes=(
            *("i'd like", "i would like", "i want a", "i want an", "i want some", "i want the"),
            *("can i have", "can i get", "could i have", "could i get", "may i have"),
        ),
        thinking=_phrases(
            "let me think|let me see|wait|wait a minute|wait a second|hold on|hang on|one moment"
            "|one second|just a moment|a second|give me a second|give me a moment|you know|i mean"
            "|i think"
        ),
        numbers=_w(
            "zero oh one two three four five six seven eight nine ten eleven twelve thirteen"
            " fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty"
            " seventy eighty ninety hundred thousand million point double triple"
        ),
        prepositions=_w(
            "of to for from with at by in on off up down out over about into onto between under"
            " through during without against near until"
        ),
        subjects=_w("i you he she it we they this that there"),
        relatives=_w("which whose whom"),
        particles=_w("on off up down in out over"),
        particle_verbs=_w("turn switch shut power wake volume"),
        degrees=_w("many much long old far big tall high often fast deep late early about come to"),
        giving=_w("tell give show remind teach send bring ask get"),
        receivers=_w("me him her us them"),
    ),
    "de": Lexicon(
        dangling=_w(
            "der die das den dem des ein eine einen einem einer und oder aber weil dass ob wenn als"
            " mein meine meinen dein deine ihre ihren sehr zum zur vom beim im am von für"
        ),
        fillers=_w("äh ähm hm hmm öh öhm"),
        leading=_w("jetzt okay ok hallo hey bitte ja nein oh"),
        connectives=_w("und dann also aber"),
        polite=_w("bitte danke"),
        interrogatives=_w(
            "was wer wen wem wann wo warum wieso wie welche welcher welches wohin woher"
        ),
        auxiliaries=_w("ist sind war waren hat haben kann können soll wird werden muss heißt gibt"),
        subordinators=_w("wenn weil obwohl während seit nachdem bevor falls bis"),
        commands=_w(
            "sag sage zeig zeige gib spiel spiele stoppe stell stelle mach mache schalte öffne"
            " schließe starte ruf rufe erzähl erzähle erkläre erklär nenn nenne such suche lies"
        ),
        short_commands=_phrases("stopp|stop|pause|weiter|abbrechen|lauter|leiser|danke"),
        going_on=_phrases(
            "weiter|mach weiter|sprich weiter|rede weiter|red weiter|erzähl weiter|erzähle weiter"
            "|lies weiter|fahr fort|fahre fort|nur weiter|und dann|und weiter"
        ),
        wishes=("ich möchte", "ich hätte gern", "ich hätte gerne"),
        thinking=_phrases("moment|warte|einen moment|lass mich überlegen"),
        numbers=_w("null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf hundert"),
        prepositions=_w("in an auf mit bei nach aus zu über unter zwischen durch ohne gegen um"),
        particles=_w("an aus auf zu um"),
        particle_verbs=_w("mach mache schalte schalt dreh drehe"),
    ),
    "fr": Lexicon(
        dangling=_w(
            "le la les un une des du de et ou mais parce que qui si mon ma mes ton ta tes son sa"
            " ses notre votre leur très à au aux dans sur pour avec par"
        ),
        fillers=_w("euh heu hum ben"),
        leading=_w("maintenant ok bonjour salut oui non oh"),
        connectives=_w("et alors mais"),
        polite=_phrases("merci|s'il te plaît|s'il vous plaît"),
        interrogatives=_w("que qui quoi quand où pourquoi comment combien quel quelle quels"),
        auxiliaries=_w("est sont était fait faut peut dois est-ce est-il a-t-il"),
        subordinators=_w("si quand lorsque comme puisque"),
        commands=_w(
            "dis dis-moi montre donne donne-moi joue arrête mets allume éteins ouvre ferme lance"
            " appelle raconte explique cherche lis ajoute rappelle-moi"
        ),
        short_commands=_phrases("stop|pause|suivant|continue|annule|merci"),
        going_on=_phrases(
            "continue|continuez|vas-y|allez-y|poursuis|poursuivez|la suite|et alors|et après"
            "|et ensuite"
        ),
        wishes=("je voudrais", "j'aimerais"),
        thinking=_phrases("attends|attendez|un moment|je veux dire"),
        numbers=_w("zéro deux trois quatre cinq six sept huit neuf dix onze douze vingt cent"),
    ),
    "es": Lexicon(
        dangling=_w(
            "el la los las un una unos unas y o pero porque aunque si mi tu su muy de del a al en"
            " con por para sin que"
        ),
        fillers=_w("eh em este hum"),
        leading=_w("ahora ok hola oye sí no oh"),
        connectives=_w("y entonces pero"),
        polite=_phrases("gracias|por favor"),
        interrogatives=_w("qué quién cuándo dónde cómo cuánto cuánta cuántos cuántas cuál"),
        auxiliaries=_w("es son está están era hay puede puedo debo hace"),
        subordinators=_w("si cuando porque aunque mientras"),
        commands=_w(
            "dime muestra muéstrame dame pon reproduce enciende apaga abre cierra inicia llama"
            " cuéntame explica explícame busca lee añade recuérdame"
        ),
        short_commands=_phrases("para|pausa|siguiente|continúa|cancela|gracias"),
        going_on=_phrases(
            "continúa|continúe|sigue|siga|sigue hablando|adelante|prosigue|y entonces|y luego"
            "|y después"
        ),
        wishes=("quisiera", "me gustaría", "quiero"),
        thinking=_phrases("espera|un momento|o sea"),
        numbers=_w("cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce cien"),
    ),
    "it": Lexicon(
        dangling=_w(
            "il lo la i gli le un uno una e o ma perché se mio mia tuo tua molto di del della a al"
            " alla in con su per tra che"
        ),
        fillers=_w("ehm eh mah"),
        leading=_w("ora ok ciao ehi sì no oh"),
        connectives=_w("e allora ma"),
        polite=_phrases("grazie|per favore"),
        interrogatives=_w("cosa chi quando dove perché come quanto quanta quanti quale qual"),
        auxiliaries=_w("è sono era c'è può posso devo fa"),
        subordinators=_w("se quando siccome mentre"),
        commands=_w(
            "dimmi mostrami dammi metti riproduci ferma accendi spegni apri chiudi avvia chiama"
            " raccontami spiegami cerca leggi aggiungi ricordami"
        ),
        short_commands=_phrases("stop|pausa|avanti|continua|annulla|grazie"),
        going_on=_phrases(
            "continua|continui|vai avanti|va avanti|avanti|prosegui|vai|e allora|e poi"
        ),
        wishes=("vorrei",),
        thinking=_phrases("aspetta|un momento|cioè"),
        numbers=_w("zero due tre quattro cinque sei sette otto nove dieci undici dodici cento"),
    ),
    "pt": Lexicon(
        dangling=_w(
            "o a os as um uma e ou mas porque se meu minha seu sua muito de do da em no na com por"
            " para que"
        ),
        fillers=_w("hum eh ahn"),
        leading=_w("agora ok olá oi sim não oh"),
        connectives=_w("e então mas"),
        polite=_phrases("obrigado|obrigada|por favor"),
        interrogatives=_w("quem quando onde como quanto quanta quantos qual quais"),
        auxiliaries=_w("é são está estão era há pode posso devo faz"),
        subordinators=_w("se quando porque embora enquanto"),
        commands=_w(
            "diga mostre toque pare acenda apague ligue desligue abra feche inicie chame conte"
            " explique procure leia adicione lembre"
        ),
        short_commands=_phrases("pare|pausa|próxima|continue|cancele|obrigado|obrigada"),
        going_on=_phrases(
            "continue|continua|continua a falar|prossiga|siga|vá em frente|e então|e depois"
        ),
        wishes=("gostaria de", "queria"),
        thinking=_phrases("espera|um momento|quer dizer"),
        numbers=_w("zero dois três quatro cinco seis sete oito nove dez onze doze cem"),
    ),
    "nl": Lexicon(
        dangling=_w(
            "de het een en of maar omdat als dat mijn jouw zijn haar ons heel van voor met"
        ),
        fillers=_w("eh ehm uh uhm"),
        leading=_w("nu oké ok hallo hoi hey ja nee oh"),
        connectives=_w("en dan dus maar"),
        polite=_w("alsjeblieft alstublieft bedankt"),
        interrogatives=_w("wat wie wanneer waar waarom hoe welke welk hoeveel"),
        auxiliaries=_w("is zijn was waren heeft hebben kan kunnen moet wordt"),
        subordinators=_w("als omdat hoewel terwijl nadat voordat"),
        commands=_w(
            "zeg toon geef speel stop zet doe open sluit start bel vertel zoek lees noem leg"
        ),
        short_commands=_phrases("stop|pauze|volgende|verder|bedankt"),
        going_on=_phrases(
            "ga door|ga verder|ga maar door|ga maar verder|verder|doorgaan|praat verder"
            "|vertel verder|en dan|en toen"
        ),
        wishes=("ik wil graag", "ik zou graag"),
        thinking=_phrases("wacht|momentje|even denken"),
        numbers=_w("nul een twee drie vier vijf zes zeven acht negen tien elf twaalf honderd"),
        prepositions=_w("in op aan bij naar uit over onder tussen door zonder om"),
        particles=_w("aan uit op"),
        particle_verbs=_w("zet doe schakel"),
    ),
}

WIDE_ASKING = ("か", "かな", "吗", "呢", "ください", "お願いします", "教えて")
"""How a question or a request ends in Japanese and Chinese."""
WIDE_DANGLING = ("の", "は", "が", "を", "に", "で", "と", "も", "から", "けど", "的", "和", "在")
"""Particles that more must follow."""
