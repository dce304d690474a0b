"""What is measured without training, and its diagnosis in words."""
