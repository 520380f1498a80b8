"""Turns the rounds of compare.sh into one JSON: medians and ratios.    python summarise.py FOLDER OUT.json"""
import datetime
import json
import os
import platform
import statistics
import sys
from pathlib import Path


def rounds(folder, what):
    """The JSON documents of one side, one a round."""
    return [json.loads(f.read_text()) for f in sorted(folder.glob(f"{what}-*.json"))]


def ratio_row(name, unit, peers, ours):
    """Medians over the rounds; the ratio above 1 says that melgrad takes longer."""
    peer, mine = statistics.median(peers), statistics.median(ours)
    return {"what": name, "unit": unit, "peer": round(peer, 3), "melgrad": round(mine, 3), "melgrad_over_peer": round(mine / peer, 3),
            "rounds_over_peer": [round(m / p, 3) for p, m in zip(peers, ours)]}


def processor():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main(folder, out):
    step_peer, step_ours = rounds(folder, "step-peer"), rounds(folder, "step-melgrad")
    extract_peer, extract_ours = rounds(folder, "extract-peer"), rounds(folder, "extract-melgrad")
    kernels_peer, kernels_ours = rounds(folder, "kernels-peer"), rounds(folder, "kernels-melgrad")
    rows = []
    for name in kernels_peer[0]["kernels"]:
        for key, note in (("median_ms", ""), ("cpu_ms", " (processor time)")):
            side = lambda docs: [d["kernels"][name][key] for d in docs]
            rows.append(ratio_row(f"{name}{note}", "ms", side(kernels_peer), side(kernels_ours)))
    for recipe in step_peer[0]["train_step"]:
        for key, note in (("median_ms", ""), ("cpu_ms", " (processor time)")):
            side = lambda docs: [d["train_step"][recipe][key] for d in docs]
            rows.append(ratio_row(f"train_step/{recipe}{note}", "ms", side(step_peer), side(step_ours)))
    for key, name, unit in (
        ("ms_per_clip", "extract/logmel", "ms per clip"), ("cpu_ms_per_clip", "extract/logmel (processor time)", "ms per clip"),
        ("decode_cpu_seconds", "extract/decode (processor time)", "s"), ("mel_cpu_seconds", "extract/mel (processor time)", "s"),
    ):
        rows.append(ratio_row(name, unit, [d[key] for d in extract_peer], [d[key] for d in extract_ours]))
    document = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "processor": processor(),
        "cores": os.cpu_count(), "load_average_after": os.getloadavg(), "peers": [step_peer[0]["peer"], extract_peer[0]["peer"]],
        "train_step_threads": step_peer[0]["threads"], "extract_threads": 1, "rounds": len(step_peer),
        "clips": extract_peer[0]["clips"], "seconds_of_sound": extract_peer[0]["seconds_of_sound"], "rows": rows,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(document, indent=1) + "\n")
    for r in rows:
        print(f"{r['what']:42} peer {r['peer']:10.2f}  melgrad {r['melgrad']:10.2f}  {r['unit']:12} ratio {r['melgrad_over_peer']:.2f}")


main(Path(sys.argv[1]), Path(sys.argv[2]))
