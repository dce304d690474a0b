"""The text below each plot of a page, by the name of the plot."""

from rnnlab.training.quantities.training import SOLVED_WINDOW

MEDIAN = (
    "Lines are medians over seeds, and bands and bars reach from the least to the greatest seed; "
    "with “each”, a line is a seed."
)
CAPTIONS = {
    "decay": (
        "How much of the gradient is left, going back in time from where the loss is read. A "
        f"straight line that falls is exponential decay; a line ends where the gradient reads "
        f"zero. Mean of log10 over examples, top layer. {MEDIAN}"
    ),
    "heat_map": (
        "The same gradient at all recorded training steps: each column is one of them. "
        "Median over seeds. Relative to the last step it shows decay alone; otherwise size."
    ),
    "paths": (
        "How far one step back can stretch a gradient, by path: directly through the forget gate, "
        "through h and one gate each, their sum (indirect), and all together (total). Below 1 "
        "every direction shrinks, above 1 some direction grows. Spectral norm, mean over examples, "
        f"top layer. {MEDIAN}"
    ),
    "share": (
        "How much of one step goes through the gates and not directly: ‖Σ indirect‖/‖total‖ "
        f"(Frobenius), mean over examples, top layer. {MEDIAN}"
    ),
    "against": (
        "The norm of one step by path, mean over t ≥ 1: how far it can stretch a gradient. "
        f"Settings that were only measured before training are always shown. {MEDIAN}"
    ),
    "against_share": "Share of the indirect path in one step, mean over t ≥ 1. " + MEDIAN,
    "against_radius": (
        "Spectral radius of one step of the whole state, such as (h, c), mean over t ≥ 1. Above 1 "
        "repeated steps of this kind would explode. " + MEDIAN
    ),
    "against_left": (
        "log10 of the gradient left at the first step, after the whole sequence: 0 is all of it, "
        "−3 a thousandth. Of ‖∂c_T/∂c_0‖ (h, in a cell without c); where Jacobians were not "
        "recorded, of ‖∂L/∂c_0‖/‖∂L/∂c_T‖. " + MEDIAN
    ),
    "against_gate": (
        "Mean of the gate on the direct path (f of an LSTM, z of a GRU) over units, examples and "
        "time. " + MEDIAN
    ),
    "against_decay": (
        "Slope of log10 of the gradient's norm against steps back: at −0.1 a tenth is left after "
        "10 steps, at 0 all of it. " + MEDIAN
    ),
    "learning": (
        "Training loss, the mean over as many steps as the axis says, up to each step: a curve "
        "begins where there are so many. The baseline is the loss of a network that remembers "
        f"nothing. A mark is where the mean of {SOLVED_WINDOW} steps is first below the threshold: "
        f"the run counts as having solved the task. {MEDIAN}"
    ),
    "gates": f"Mean of a gate over units and examples, top layer, against time. {MEDIAN}",
    "eigenvalues": (
        "Eigenvalues of one step of the whole state, such as ∂(h, c)_t/∂(h, c)_{t−1}, in the "
        "middle of the sequence, of all seeds together. Inside the unit circle a direction "
        "shrinks. The ring, a mean over seeds, is predicted from the weights at the zero state."
    ),
    "lyapunov": (
        "Finite-time Lyapunov exponents of the whole state in order: the mean growth of "
        f"perturbations per step, natural logarithm. Above 0 they grow. {MEDIAN}"
    ),
}
