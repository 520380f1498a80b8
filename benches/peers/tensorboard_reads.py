"""Whether TensorBoard itself reads a run's event files: every curve, point by point, against history.csv.

    VENV/bin/python benches/peers/tensorboard_reads.py RUN

RUN is a folder that `melgrad train` wrote. VENV is a Python environment with requirements.txt. Ends with 1 where a point
is missing or another number.
"""
import csv
import math
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

TAGS = {
    "train": {"loss": "train_loss", "accuracy": "train_accuracy", "learning_rate": "learning_rate"},
    "validation": {"loss": "validation_loss", "accuracy": "validation_accuracy", "f1": "validation_f1"},
}


def main(run: Path) -> int:
    with open(run / "history.csv", newline="") as file:
        history = {int(row["epoch"]): row for row in csv.DictReader(file)}
    wrong = 0
    for part, tags in TAGS.items():
        folder, known = run / "tensorboard" / part, []
        if folder.is_dir():  # Without validation clips there is none.
            events = EventAccumulator(str(folder))
            events.Reload()
            known = events.Tags()["scalars"]
        for tag, column in tags.items():
            expected = {epoch: float(row[column]) for epoch, row in history.items() if row.get(column)}
            # A run that was resumed writes an epoch anew: the last word counts, as TensorBoard shows it.
            found = {point.step: point.value for point in events.Scalars(tag)} if tag in known else {}
            same = found.keys() == expected.keys() and all(
                math.isclose(found[epoch], value, rel_tol=1e-6, abs_tol=1e-9) for epoch, value in expected.items()
            )
            wrong += not same
            print(f"{part}/{tag}: {len(found)} of {len(expected)} points, {'the same' if same else 'OTHERS'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
