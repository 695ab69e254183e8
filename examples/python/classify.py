#!/usr/bin/env python3
"""Post a recording and print what was heard, channel by channel.

    examples/python/classify.py examples/caller.wav [--url http://127.0.0.1:8080]
"""
import argparse
import json
import os
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen


def classify(url: str, audio: bytes) -> dict:
    headers = {"Content-Type": "application/octet-stream"}
    if key := os.environ.get("EMOTONE_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    with urlopen(Request(f"{url}/classify", audio, headers)) as answer:
        return json.load(answer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    options = parser.parse_args()
    try:
        heard = classify(options.url, options.file.read_bytes())
    except HTTPError as refused:
        raise SystemExit(f"{refused.code}: {json.load(refused)['error']['message']}")
    for channel in heard["channels"]:
        print(f"channel {channel['channel']}: {channel['emotion'] or 'no speech'}")
        for segment in channel["segments"]:
            confidence = f"{segment['confidence']:.2f}" if segment["confidence"] else ""
            print(f"{segment['start_seconds']:8.2f} to {segment['end_seconds']:8.2f} s  {segment['emotion'] or '-':18}{confidence}")


if __name__ == "__main__":
    main()
