"""The sweep of ``forget_bias.yaml`` as a user of another library would write it.

Each script trains every setting with every seed, records mean log10‖∂L/∂h_t‖ and ‖∂L/∂c_t‖ at every
time step of every training step, evaluates now and then, and writes what it found to a file. What
nudges of Flax's carry show of c lacks the path through h of the same time step; PyTorch's retained
gradients, and ours, have it.

    python -m sweeps.with_torch STEPS FILE
"""
