"""`bench quality`: how many everyday questions are answered correctly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgevoice.cli import Context, pass_context
from edgevoice.cli.bench import OUTPUT, options
from edgevoice.cli.measured import config, deliver, target
from edgevoice.errors import UsageError

if TYPE_CHECKING:
    from edgevoice.bench.quality.quality import QualityAnswer, QualityQuestion
    from edgevoice.models.store import Installed
    from edgevoice.settings import Config

GREEDY = {"slm.temperature": "0"}


@click.command()
@click.option("--slm", metavar="NAME", help="Language model, by its name in `models list`.")
@click.option("--slm-draft", metavar="NAME", help="Model that opens replies [none].")
@click.option("--only", metavar="CATEGORY", default="", help="Use only questions of a category.")
@click.option(
    "--half",
    type=click.Choice(["tuned", "aside"]),
    help="Use only the questions that prompts were tuned on, or those set aside.",
)
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Use only N questions, sampled evenly.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1),
    default=1,
    metavar="N",
    help="Ask each question N times, with different seeds [1: the likeliest token each time].",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    metavar="RESULT",
    help="Compare with an earlier result file, question by question.",
)
@options(OUTPUT)
@pass_context
def quality(context: Context, against: Path | None, **given: Any) -> None:
    """Ask everyday questions as text, and judge the replies by rules.

    `--set slm.temperature` applies with --seeds 1, too. With --against, exits with 1 if
    significantly fewer replies are right.
    """
    from edgevoice.bench.statistics.extra import need_scipy

    where = target(given["json_file"])
    greedy = given["seeds"] == 1 and "slm.temperature" not in context.settings
    settings = config(context, given, GREEDY if greedy else {})
    from edgevoice.bench.jobs.progress import shown
    from edgevoice.bench.quality import quality as asking
    from edgevoice.bench.quality.comparison import counted, table
    from edgevoice.models.store import Store

    if against is not None:
        need_scipy("--against")
    before = asking.read(against) if against is not None else None
    todo = asking.questions(given["only"], given["half"] or "", given["limit"])
    if not todo:
        names = dict.fromkeys(one.category for one in asking.questions())
        raise UsageError("no such category", where="--only", remedy=f"one of: {', '.join(names)}")
    store = Store(settings)
    chosen = store.choose("slm")
    draft = store.draft_of(chosen) if given["slm_draft"] else None
    models = [model for model in (chosen, draft) if model is not None]
    done: list[asking.QualityAnswer] = []
    with shown() as progress:
        progress.begin("asking", float(len(todo) * given["seeds"]))
        try:
            for answer in _answers(settings, models, todo, given["seeds"]):
                done.append(answer)
                verdict = "right" if answer.right else "WRONG"
                progress.done(1.0, f"{verdict}  {answer.question}  {answer.reply}")
        finally:
            if done:
                result = asking.QualityResult(
                    slm=f"{chosen.name}, draft {draft.name}" if draft else chosen.name,
                    system_prompt=settings.slm.system_prompt,
                    answers=tuple(done),
                )
                counts = counted(result, before)
                deliver(result, table(result, counts), where)
    if counts[-1].worse:
        click.get_current_context().exit(1)


def _answers(
    settings: Config, models: Sequence[Installed], todo: Sequence[QualityQuestion], seeds: int
) -> Iterator[QualityAnswer]:
    """The replies to all questions, seed by seed. A second one of the models drafts them."""
    from edgevoice.agent.draft_first_agent import DraftFirstAgent
    from edgevoice.agent.language_model_agent import LanguageModelAgent
    from edgevoice.bench.quality.quality import asked
    from edgevoice.engines.registry import load

    with ExitStack() as stack:
        slm, *small = sessions = [
            stack.enter_context(closing(load(model, settings))).session() for model in models
        ]
        agent = (
            DraftFirstAgent(small[0], slm, settings, always=True)
            if small
            else LanguageModelAgent(slm, settings)
        )
        stack.enter_context(closing(agent))
        for seed in range(settings.slm.seed, settings.slm.seed + seeds):
            for session in sessions:
                session.seed = seed
            yield from asked(agent, settings, todo, seed)
