import subprocess
import sys

CHILD = """
import sys, torch
from longitudinal_al.serving import early_imports
assert early_imports.LATE not in sys.modules  # else there is nothing to do early
early_imports.begin().join()
before = set(sys.modules)
weights = torch.nn.Linear(2, 2)
optimiser = torch.optim.AdamW(weights.parameters())
weights(torch.zeros(1, 2)).sum().backward()
optimiser.step()
print(len(set(sys.modules) - before))
"""


def test_the_first_training_finds_its_imports_done() -> None:
    found = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    assert int(found.stdout) < 20
