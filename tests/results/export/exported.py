"""What an export should hold of a run, taken from the stored tables row by row."""

import math

TRAINING = {
    "loss": "training/loss",
    "gradient_norm": "training/gradient_norm",
    "update_norm": "training/update_norm",
    "eval_loss": "eval/loss",
    "eval_metric": "eval/metric",
}
DISTANCES = (0, 1, 3, 6)


def stored(results):
    """The runs that have tables, as rows."""
    runs = results.runs[results.runs["status"].isin(["finished", "diverged"])]
    return list(runs.itertuples(index=False))


def kind_of(results, row):
    """The cell of a run, as its config names it."""
    return results.runs.set_index("run").loc[row.run, "cell.kind"]


def expected(results, run):
    """Numbers by (name, step)."""
    numbers = _training(results, run) | _gradients(results, run) | _gates(results, run)
    return {key: value for key, value in numbers.items() if not math.isnan(value)}


def _rows(table, run):
    return table[table["run"] == run].to_dict("records")


def _training(results, run):
    return {
        (name, row["step"]): row[column]
        for row in _rows(results.training, run)
        for column, name in TRAINING.items()
        if column in row
    }


def _gradients(results, run):
    return {
        (
            f"gradients/{row['quantity']}/layer{row['layer']}"
            f"/log10_at_distance_{row['distance']:.0f}",
            row["step"],
        ): row["log10_mean"]
        for row in _rows(results.gradients, run)
        if row["distance"] in DISTANCES
    }


def _gates(results, run):
    values = {}
    for row in _rows(results.gates, run):
        key = f"gates/{row['gate']}/layer{row['layer']}/mean", row["step"]
        values.setdefault(key, []).append(row["mean"])
    return {key: sum(means) / len(means) for key, means in values.items()}
