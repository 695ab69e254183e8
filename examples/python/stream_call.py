#!/usr/bin/env python3
"""Stream a recording as Twilio would, and print the timeline as it comes.

    examples/python/stream_call.py examples/caller.wav [--url ws://127.0.0.1:8080/stream] [--fast]
"""
import argparse
import json
import os
import threading
from pathlib import Path

from twilio_call import messages
from websocket import WebSocket


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--url", default="ws://127.0.0.1:8080/stream")
    parser.add_argument("--fast", action="store_true", help="as fast as possible instead of as people talk")
    options = parser.parse_args()

    call = messages(options.file, real_time=not options.fast)
    key = os.environ.get("EMOTONE_API_KEY")
    socket = WebSocket(options.url, **({"Authorization": f"Bearer {key}"} if key else {}))

    def speak() -> None:
        for message in call:
            socket.send(message)

    threading.Thread(target=speak, daemon=True).start()
    for text in socket:
        frame = json.loads(text)
        match frame["type"]:
            case "segment":
                print(f"{frame['start_seconds']:7.2f} to {frame['end_seconds']:7.2f} s  {frame['status']:9}  {frame['emotion'] or ''}")
            case "summary":
                print(f"{frame['duration_seconds']:.2f} s in all: {frame['channels'][0]['emotion'] or 'no speech'}")
            case "error":
                print(f"{frame['code']}: {frame['message']}")


if __name__ == "__main__":
    main()
