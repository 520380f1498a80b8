"""Turns the documents of compare.sh into one JSON: medians, ratios, geometric means.

    python summarise.py FOLDER OUT.json [--threads N]

FOLDER holds SIDE-WORK-ROUND.json for the sides `peer` (PyTorch, librosa), `melgrad`, and burn's and candle's backends.
A row's ratio is melgrad's figure over the other's: below 1, melgrad takes less. The means tell how many times less.
"""
import argparse
import datetime
import json
import math
import os
import platform
import re
import statistics
from collections import defaultdict
from pathlib import Path

OURS = "melgrad"
SIDES = ("peer", OURS, "burn-flex", "burn-ndarray", "candle")
# Which figures of a row are compared, what is said behind their names, and their unit.
FIGURES = (("median_ms", "", "ms"), ("cpu_ms", " (processor time)", "ms"), ("peak_mib", " (peak memory of the process)", "MiB"))
EXTRACT = (("ms_per_clip", "extract/logmel", "ms per clip"), ("cpu_ms_per_clip", "extract/logmel (processor time)", "ms per clip"),
           ("decode_cpu_seconds", "extract/decode (processor time)", "s"), ("mel_cpu_seconds", "extract/mel (processor time)", "s"))


def figures(document):
    """(name, unit, number) of everything that a document tells."""
    for group in ("train_step", "infer", "kernels"):
        for name, row in document.get(group, {}).items():
            for key, note, unit in FIGURES:
                if row.get(key) is not None:
                    yield (name if group == "kernels" else f"{group}/{name}") + note, unit, row[key]
    for key, name, unit in EXTRACT:
        if document.get(key) is not None:
            yield name, unit, document[key]
    for name, row in document.get("start", {}).items():
        yield f"start/{name}", "ms", row["median_ms"]


def read(folder):
    """What was measured: {(name, unit): {side: [a number a round]}}, what the sides call themselves, and extraction's sound."""
    found, names, sound = defaultdict(lambda: defaultdict(list)), {}, {}
    for path in sorted(folder.glob("*.json")):
        side = next((s for s in SIDES if path.name.startswith(s + "-")), None)
        document = json.loads(path.read_text())
        if side is None:
            continue
        names.setdefault(side, [])
        if document["peer"] not in names[side]:
            names[side].append(document["peer"])
        sound |= {key: document[key] for key in ("clips", "seconds_of_sound") if key in document}
        for name, unit, number in figures(document):
            found[name, unit][side].append(number)
    return found, names, sound


def row(name, unit, peer, theirs, ours):
    theirs_median, ours_median = statistics.median(theirs), statistics.median(ours)
    return {"what": name, "peer_is": peer, "unit": unit, "peer": round(theirs_median, 3), "melgrad": round(ours_median, 3),
            "melgrad_over_peer": round(ours_median / theirs_median, 3), "rounds": len(theirs)}


def means(rows):
    """Geometric means of the ratios: training steps, and answers, per peer and figure."""
    groups = defaultdict(list)
    for r in rows:
        if found := re.match(r"(train_step|infer)/[^ ]+(.*)", r["what"]):
            groups[f"{found[1]}{found[2]}", r["peer_is"]].append(r)
    return [{"what": what, "peer_is": peer, "of": len(group), "worst": round(min(r["peer"] / r["melgrad"] for r in group), 3),
             "peer_over_melgrad": round(math.exp(statistics.fmean(math.log(r["peer"] / r["melgrad"]) for r in group)), 3)}
            for (what, peer), group in groups.items()]


def processor():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    found, names, sound = read(args.folder)
    rows = [row(name, unit, side, sides[side], sides[OURS])
            for (name, unit), sides in sorted(found.items()) for side in SIDES if side != OURS and side in sides and OURS in sides]
    start = args.folder / "start.json"
    mean = means(rows)
    document = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "processor": processor(),
        "cores": os.cpu_count(), "load_average_after": os.getloadavg(), "peers": names, "threads": args.threads, "extract_threads": 1,
        **sound, "rows": rows, "geometric_means": mean, "start": json.loads(start.read_text()) if start.exists() else None,
    }
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(document, indent=1) + "\n")
    for r in rows:
        print(f"{r['what']:58} {r['peer_is']:12} {r['peer']:10.2f}  melgrad {r['melgrad']:10.2f}  {r['unit']:12} ratio {r['melgrad_over_peer']:.3f}")
    for m in mean:
        print(f"geometric mean of {m['of']}: {m['what']}: melgrad is {m['peer_over_melgrad']:.2f} times below {m['peer_is']} (at worst {m['worst']:.2f})")
    for name, r in (document["start"] or {}).get("start", {}).items():
        print(f"from process start to a genre, {name}: {r['median_ms']:.0f} ms")


main()
