"""Made-up tables of one-step Jacobians, and what is read back from a figure of them."""

import numpy as np
import pandas as pd

TIME, STEPS, SEEDS = 6, (0, 40), (0, 1, 2)
LSTM_0, LSTM_2, CHRONO, GRU, RNN = (
    *("LSTM, b_f = 0", "LSTM, b_f = 2", "LSTM, b_f chrono to 20"),
    *("GRU, b_z = 1", "RNN"),
)
# Decades a step of the sensitivity, share, what is carried, layers.
OF = {
    LSTM_0: (-0.5, 0.4, "c", 2),
    LSTM_2: (-0.1, 0.2, "c", 1),
    CHRONO: (-0.05, 0.05, "c", 1),
    GRU: (-0.2, 0.3, "h", 1),
    RNN: (-0.3, 1.0, "h", 1),
}
ALL = list(OF)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def jacobians(settings=ALL, among=None):
    """Top layers are as above, shifted by seed and, later in training, by 1; lower ones by 50."""
    frames = []
    for setting in settings:
        decay, share, quantity, layers = OF[setting]
        keys = pd.MultiIndex.from_product(
            [SEEDS, STEPS, range(TIME), range(layers)], names=["seed", "step", "t", "layer"]
        )
        frame = keys.to_frame(index=False)
        below = 50.0 * (layers - 1 - frame["layer"])
        shift = 0.01 * frame["seed"] ** 2 + (frame["step"] > 0) + below
        frame = frame.assign(
            run=setting + frame["seed"].astype(str),
            setting=setting,
            quantity=quantity,
            zero_fraction=0.0,
            log10_sensitivity=decay * (TIME - 1 - frame["t"]) + shift,
            share=np.where(frame["t"] == 0, 77.0, share * (0.5 + frame["t"] / 6)) + shift,
            indirect_spectral=0.3 + shift,
            total_spectral=0.9 + 0.01 * frame["t"] + shift,
        )
        if setting != RNN:
            frame["direct_spectral"] = 0.7 + shift
        frames.append(frame)
    return categorical(pd.concat(frames, ignore_index=True), among or settings)


def categorical(frame, settings):
    return frame.assign(setting=pd.Categorical(frame["setting"], settings, ordered=True))


def runs(settings=ALL):
    biases = {LSTM_0: 0.0, LSTM_2: 2.0, CHRONO: "chrono"}
    rows = [
        {
            "setting": setting,
            "seed": seed,
            "cell.kind": setting.partition(",")[0].lower(),
            "cell.forget_bias": biases.get(setting, np.nan),
            "cell.update_bias": 1.0 if setting == GRU else np.nan,
            "cell.t_max": 20.0 if setting == CHRONO else np.nan,
        }
        for setting in settings
        for seed in SEEDS
    ]
    return categorical(pd.DataFrame(rows), settings)


def lyapunov(settings=ALL):
    keys = pd.MultiIndex.from_product(
        [settings, SEEDS, STEPS, [0, 1], range(3)],
        names=["setting", "seed", "step", "example", "index"],
    )
    frame = keys.to_frame(index=False)
    start = frame["setting"].map({setting: OF[setting][0] for setting in settings}).astype(float)
    exponent = start - frame["index"] + 0.2 * frame["example"] + 0.01 * frame["seed"] ** 2
    frame["run"] = frame["setting"] + frame["seed"].astype(str)
    return categorical(frame.assign(exponent=exponent + (frame["step"] > 0)), settings)


def eigenvalues(settings=ALL):
    """A different one for each seed and layer; no ring where there is an RNN."""
    keys = pd.MultiIndex.from_product(
        [settings, SEEDS, STEPS, [0, 1]], names=["setting", "seed", "step", "layer"]
    )
    frame = keys.to_frame(index=False)
    ring = np.where(frame["setting"] == RNN, np.nan, 1.0)
    return categorical(
        frame.assign(
            run=frame["setting"] + frame["seed"].astype(str),
            t=3,
            real=frame["seed"] + 10 * frame["layer"],
            imag=0.5 * frame["seed"] + frame["step"],
            ring_centre=ring * (0.5 + 0.1 * frame["seed"] - 9 * (frame["layer"] == 0)),
            ring_radius=ring * (0.2 + 0.1 * frame["seed"]),
        ),
        settings,
    )


TYPESET = {LSTM_0: "LSTM, $b_f$ = 0", LSTM_2: "LSTM, $b_f$ = 2", GRU: "GRU, $b_z$ = 1"}


def line(ax, label):
    (found,) = [line for line in ax.get_lines() if line.get_label() == label]
    return found


def labels_of(ax):
    return ax.get_legend_handles_labels()[1]


def legend_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]
