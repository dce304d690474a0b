"""Mean adjoint norms and mean gates of every step."""

from typing import ClassVar

from rnnlab.training.quantities.gradients import mean_and_zeros
from rnnlab.training.quantities.quantity import AtEveryStep, Moment, Option, Statistics


class Means(AtEveryStep):
    """The means of ``gradients`` and ``gates`` at every step; at records they are equal."""

    name = "means"
    meaning = "the means of `gradients` and `gates` at every step; at records they are equal"
    option = Option("means", "means", "record.means=true")
    columns: ClassVar = {
        "step": "of training, from 0 to the last",
        "layer": "from 0, the lowest",
        "t": "time step",
        "log10_mean_<part>": "for each part of the state, as in `gradients`",
        "zero_fraction_<part>": "for each part of the state, as in `gradients`",
        "mean_<gate>": "for each gate, as in `gates`",
    }

    def measure(self, moment: Moment) -> Statistics:
        """The means of adjoint norms and gates, by column."""
        columns = {
            f"{statistic}_{part}": values
            for part, norms in moment.log10_norms.items()
            for statistic, values in mean_and_zeros(norms).items()
        }
        return columns | {f"mean_{gate}": mean for gate, mean in moment.gate_means.items()}
