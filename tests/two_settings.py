"""Made-up runs of two settings; not all of them have a value, or solve the task."""

import numpy as np
import pandas as pd

RUNS = pd.DataFrame(
    {
        "run": list("abcdefgh"),
        "setting": ["one"] * 4 + ["two"] * 4,
        "seed": [0, 1, 2, 3, 3, 2, 1, 0],
        "x": [1.0, 2.0, 4.0, np.nan, 9.0, 3.0, 1.0, 0.5],
        "solved_at": [10, 20, 30, None, None, None, None, 5],
    }
)
