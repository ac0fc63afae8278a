import subprocess
import sys

CHILD = """
import sys, torch
from longitudinal_al.serving import early_imports
from longitudinal_al import worker
assert not {*early_imports.LATE, "monai", "sklearn"} & set(sys.modules)  # a worker starts without them
early_imports.begin().join()
from longitudinal_al.network.training import _overlap_and_cross_entropy
before = set(sys.modules)
weights = torch.nn.Linear(2, 2)
optimiser = torch.optim.AdamW(weights.parameters())
_overlap_and_cross_entropy()(weights(torch.zeros(1, 1, 2)), torch.zeros(1, 1, 2)).backward()
optimiser.step()
print(len(set(sys.modules) - before))
"""


def test_the_first_training_finds_its_imports_done() -> None:
    found = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    assert int(found.stdout) < 20
