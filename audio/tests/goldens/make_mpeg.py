"""Streams of MPEG audio and what ffmpeg decodes from them, against which src/decode/mpeg is held.

    python make_mpeg.py

Needs ffmpeg, lame and twolame (and numpy). A third of a second of a sweep, clicks and noise is encoded at eight
sample rates of layer III and in every mode of layer II; layer I, which nobody encodes any more, is random bits behind headers; a
layer III stream whose headers are made to say "intensity stereo" tests that. The streams go to ../data/mpeg, what ffmpeg
makes of them to mpeg.json: the length of the mean of the channels, and every 61st sample of it.
"""

import json
import pathlib
import random
import subprocess
import tempfile
import wave

import numpy as np

HERE = pathlib.Path(__file__).parent
DATA = HERE.parent / "data" / "mpeg"
EVERY = 61


def sound(rate):
    """Two channels that differ, with attacks that make encoders switch windows."""
    t = np.arange(rate // 3) / rate
    noise = np.random.default_rng(7).uniform(-1, 1, t.size)
    sweep = np.sin(2 * np.pi * (200 * t + 0.4 * rate * t * t)) * 0.4
    clicks = np.where(np.arange(t.size) % (rate // 11) < 40, noise, 0) * 0.6
    left, right = sweep + clicks + noise * 0.01, 0.6 * sweep + np.roll(clicks, 300) + noise * 0.02
    return (np.stack([left, right], axis=1).clip(-1, 1) * 32000).astype("<i2")


def encode(rate, *command):
    """`command`, in which WAV and OUT stand for files."""
    with tempfile.TemporaryDirectory() as folder:
        wav, out = pathlib.Path(folder) / "in.wav", pathlib.Path(folder) / "out"
        with wave.open(str(wav), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(sound(rate).tobytes())
        command = [{"WAV": str(wav), "OUT": str(out)}.get(word, word) for word in command]
        subprocess.run(command, check=True, capture_output=True)
        return out.read_bytes()


def random_layer1(header):
    """Frames of random bits with few bits allotted, so that they fit."""
    dice = random.Random(1)
    frame = (12 * 448000 // 48000) * 4
    frames = []
    for _ in range(9):
        body = bytearray(dice.getrandbits(8) for _ in range(frame - 4))
        # 32 times two allotments of four bits, where 15 is none.
        body[:32] = bytes(dice.choice([0, 2, 4]) << 4 | dice.choice([0, 1, 5]) for _ in range(32))
        # Scale factors in the middle of their range.
        body[32:80] = bytes([0b01101001, 0b10100110, 0b10011010] * 16)
        frames.append(header + bytes(body))
    return b"".join(frames)


def intensity(stream):
    """The same frames (MPEG-1, 44.1 kHz, 128 kbit/s) with headers that say joint stereo by intensity, and by both."""
    stream = bytearray(stream)
    at = number = 0
    while at + 4 <= len(stream):
        assert stream[at] == 0xFF
        stream[at + 3] = stream[at + 3] & 0x0F | (0x50 if number % 8 < 4 else 0x70)
        at += 144 * 128000 // 44100 + (stream[at + 2] >> 1 & 1)
        number += 1
    return bytes(stream)


def streams():
    # Not 24 kHz, where ffmpeg lets a band begin at line 330; LAME, minimp3 and the standard say 332.
    for rate in [48000, 44100, 32000, 22050, 16000, 12000, 11025, 8000]:
        yield f"l3-{rate}.mp3", encode(rate, "lame", "-t", "-V", "6", "-m", "j", "--resample", str(rate / 1000), "WAV", "OUT")
    yield "l3-mono.mp3", encode(44100, "lame", "-t", "-b", "64", "-m", "m", "WAV", "OUT")
    yield "l3-intensity.mp3", intensity(encode(44100, "lame", "-t", "--nores", "-b", "128", "-m", "s", "WAV", "OUT"))
    for rate, bitrates in [(48000, (48, 96, 192)), (32000, (48, 112, 256)), (22050, (32, 64, 144)), (16000, (8, 48, 160))]:
        for mode, bitrate in zip(["mono", "joint", "stereo"], bitrates):
            yield f"l2-{rate}-{mode}.mp2", encode(rate, "twolame", "-m", mode, "-b", str(bitrate), "WAV", "OUT")
    yield "l1-stereo.mp1", random_layer1(bytes([0xFF, 0xFF, 0xE4, 0x00]))
    yield "l1-joint.mp1", random_layer1(bytes([0xFF, 0xFF, 0xE4, 0x60]))


def decode(name):
    layer = name[1]
    command = ["ffmpeg", "-v", "error", "-flags2", "+skip_manual", "-f", "mp3", "-c:a", f"mp{layer}float", "-i", DATA / name]
    done = subprocess.run([*command, "-f", "f32le", "-"], check=True, capture_output=True)
    samples = np.frombuffer(done.stdout, "<f4")
    probe = ["ffprobe", "-v", "error", "-f", "mp3", "-show_entries", "stream=channels,sample_rate", "-of", "csv=p=0", DATA / name]
    rate, channels = map(int, subprocess.run(probe, check=True, capture_output=True, text=True).stdout.strip().split(","))
    return rate, samples.reshape(-1, channels).mean(axis=1, dtype="f8")


def main():
    DATA.mkdir(exist_ok=True)
    cases = []
    for name, stream in streams():
        (DATA / name).write_bytes(stream)
        rate, samples = decode(name)
        values = [float(f"{x:.7g}") for x in samples[::EVERY]]
        cases.append({"file": name, "rate": rate, "samples": len(samples), "values": values})
        print(name, len(stream), rate, len(samples), np.abs(samples).max())
    version = lambda *command: subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0]
    versions = {"ffmpeg": version("ffmpeg", "-version"), "lame": version("lame", "--version")}
    document = {"versions": versions, "every": EVERY, "cases": cases}
    (HERE / "mpeg.json").write_text(json.dumps(document, separators=(",", ":")).replace('{"file"', '\n{"file"') + "\n")


main()
