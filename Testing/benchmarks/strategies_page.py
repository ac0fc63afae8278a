"""Write the table of strategies into `docs/strategies.md`, and an experiment's results into its columns.

python Testing/benchmarks/bench_selection.py --write
python Testing/benchmarks/strategies_page.py --experiment FOLDER/experiment.json --cohort typical
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from longitudinal_al.acquisition.measured import FULL, MEASURED, SMALL, measured
from longitudinal_al.acquisition.strategies import STRATEGIES, strategies_table
from longitudinal_al.cli.strategies import markdown
from longitudinal_al.project.files import write_json

PAGE = Path(__file__).resolve().parents[2] / "docs" / "strategies.md"
BEGIN, END = "<!-- table: longitudinal-al strategies --markdown -->", "<!-- end of the table -->"


def efficiencies(experiment: Path, cohort: str) -> dict[str, dict[str, float | None]]:
    """Return each strategy's area under the curve of lesion Dice and its reach, from `experiment.json`."""
    found = json.loads(experiment.read_text(encoding="utf-8"))[cohort]
    reached = {one["strategy"]: one["fraction"] for one in found["reaches"]}
    return {
        row["strategy"]: {
            "area": row["area"]["mean"],
            "low": row["area"]["low"],
            "high": row["area"]["high"],
            "reaches": reached.get(row["strategy"]),
        }
        for row in found["dice"]
        if row["strategy"] in STRATEGIES
    }


def main() -> None:
    """Fill in what is given, and write the page's table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", type=Path, help="experiment.json of `longitudinal-al experiment`")
    parser.add_argument("--cohort", choices=(FULL, SMALL), default=FULL)
    arguments = parser.parse_args()
    if arguments.experiment:
        found = efficiencies(arguments.experiment, arguments.cohort)
        figures = measured()
        efficiency = {**figures["efficiency"], arguments.cohort: found}
        write_json(MEASURED, {**figures, "efficiency": efficiency})
        measured.cache_clear()
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    lines = "\n".join(markdown(strategies_table()))
    PAGE.write_text(f"{before}{BEGIN}\n{lines}\n{END}{after}", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
