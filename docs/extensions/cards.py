"""The card of a claim, or of a published result: what is shown first, and what is folded away."""

from extensions.kept import (
    PAPERS,
    REFERENCE,
    ROOT,
    analysis_of,
    answer,
    caption,
    captions,
    condition,
    config_of,
    main_figure,
    number,
    obtained,
    version,
)
from extensions.set_up import set_up
from extensions.sources import chosen, rule, said
from rnnlab.config.sweep import load_experiment
from rnnlab.support.bundled import find_config


def card(name: str, like: str) -> str:
    """Sentence, answer, number and figure, then what is folded away; the rule once, at ``like``."""
    experiment = load_experiment(name)
    config = find_config(name).relative_to(ROOT)
    to, words = f"../results/reference/{name}", caption(name)
    ruled = rule(name) if name == like else f"They are those of [{like}](#{anchor(like)})."
    parts = [
        f"## {name}",
        f"> {said(name)}",
        f"**{answer(name).capitalize()}.** {condition(name)}",
        f"{remembered(name)}.",
        f"![{words}]({to}/figures/{main_figure(name)})",
        f"*{words}*",
        folded("Claim and rule", ruled),
        folded("What was obtained", obtained(name)),
        folded(
            "Set-up",
            f"*{experiment.config.question}*",
            "\n".join(f"- {set_up(own)}" for own, _ in experiment.parts(REFERENCE)),
            *(chosen(name) if name.startswith(PAPERS) else []),
        ),
        f"`rnnlab run {name}`: [tables](findings/{name}.md), [config](../{config}), "
        f"[numbers]({to}/numbers.csv), of version {version(name)} of the results.",
    ]
    return "\n\n".join(parts)


def folded(title: str, *parts: str) -> str:
    """Shown when the reader opens it, on the site and where Markdown is read."""
    inside = "\n\n".join(parts)
    return f"<details>\n<summary>{title}</summary>\n\n{inside}\n\n</details>"


def anchor(name: str) -> str:
    """The anchor of its card."""
    return name.replace("/", "")


def remembered(name: str) -> str:
    """The one number, its interval, and what it is."""
    found = number(name)
    return " ".join(filter(None, [f"**{found.value}**", found.interval])) + f": {found.label}"


def summary(names: list[str]) -> str:
    """A line for each, with its answer and its number."""
    rows = ["| people say, or a paper does | answer | the number |", "|---|---|---|"]
    asked = [config_of(name).question if name.startswith(PAPERS) else said(name) for name in names]
    for name, words in zip(names, asked, strict=True):
        which = f" (`{name}`)" if asked.count(words) > 1 else ""
        rows.append(f"| [{words}](#{anchor(name)}){which} | {answer(name)} | {remembered(name)} |")
    return "\n".join(rows)


def cards(names: list[str]) -> str:
    """All of them, one below the other."""
    firsts: dict[str, str] = {}
    return "\n\n".join(card(name, firsts.setdefault(analysis_of(name), name)) for name in names)


def figures(name: str, to: str) -> str:
    """Those that are kept, that of the claim first."""
    main, drawn = main_figure(name), captions(name)
    files = [main, *sorted(file for file in drawn if file != main)]
    shown = [
        f"![{drawn[file].partition('. ')[0]}]({to}/figures/{file})\n\n*{drawn[file]}*"
        for file in files
    ]
    return "\n\n".join(shown)


def tables_page(name: str) -> str:
    """The page of its tables, which the site makes from those that are kept."""
    up = "../" * (2 + name.count("/"))
    to = f"{up}results/reference/{name}"
    question = config_of(name).question
    return f"""# {name}

{question} [Findings]({up[3:]}findings.md#{anchor(name)}) has the answer and the figure.
Here are the figures and tables of these results: [compare.csv]({to}/compare.csv),
[numbers.csv]({to}/numbers.csv), and what it was run on, [environment.json]({to}/environment.json).

```{{generated}} report {name}
```

{figures(name, to)}

```{{generated}} tables {name}
```
"""
