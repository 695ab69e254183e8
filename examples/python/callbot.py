#!/usr/bin/env python3
"""A caller's voice in, alerts out, and a bot that changes what it says.

    examples/python/callbot.py examples/caller.wav --alert neutral:0.4:3 [--url ws://127.0.0.1:8080/stream] [--fast]

The recording stands for the caller. A real bot gets the same messages from Twilio, and passes them on as they are.
"""
import argparse
import json
import os
import queue
import threading
from pathlib import Path

from twilio_call import FRAME_SECONDS, messages
from websocket import WebSocket

SCRIPT = [
    "Welcome. What can I do for you?",
    "Could you tell me your contract number, please?",
    "Thank you. Let me look that up.",
    "Would you also like to hear of our new tariff?",
]
ANSWERS = {
    "angry": "I am sorry about this. I put you through to a colleague at once.",
    "sad": "I am sorry to hear that. Take your time; I am listening.",
    "fear": "Don't worry, we will solve this together, step by step.",
}
SECONDS_A_LINE = 4.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--alert", action="append", metavar="EMOTION:THRESHOLD:SECONDS", help="such as angry:0.6:3; may be repeated")
    parser.add_argument("--url", default="ws://127.0.0.1:8080/stream")
    parser.add_argument("--fast", action="store_true", help="as fast as possible instead of as people talk")
    options = parser.parse_args()

    rules = {"alerts": ",".join(options.alert or ["angry:0.6:3", "fear:0.6:3", "sad:0.7:5"])}
    call = messages(options.file, rules, real_time=not options.fast)
    key = os.environ.get("EMOTONE_API_KEY")
    socket = WebSocket(options.url, **({"Authorization": f"Bearer {key}"} if key else {}))
    heard = queue.SimpleQueue()
    bot = Bot()

    def listen() -> None:
        for text in socket:
            heard.put(json.loads(text))

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    for number, message in enumerate(call):
        socket.send(message)
        while not heard.empty():
            bot.react(heard.get())
        bot.go_on(number * FRAME_SECONDS)
    listener.join()  # the server closes once it has said everything
    while not heard.empty():
        bot.react(heard.get())
    print("a colleague has taken over" if bot.handed_over else "the bot has ended the call")


class Bot:
    """Follows its script until it hears that it had better not."""

    def __init__(self):
        self.script, self.next_line_at, self.handed_over = iter(SCRIPT), 0.0, False

    def go_on(self, clock: float) -> None:
        if clock >= self.next_line_at and not self.handed_over and (line := next(self.script, None)):
            self.say(clock, line)
            self.next_line_at = clock + SECONDS_A_LINE

    def react(self, frame: dict) -> None:
        if frame["type"] == "segment" and frame["emotion"]:
            print(f"{frame['end_seconds']:6.1f} s  the caller sounds {frame['emotion']} ({frame['confidence']:.2f})")
        if frame["type"] == "error":
            print(f"not heard: {frame['message']}")
        if frame["type"] == "alert":
            self.say(frame["at_seconds"], ANSWERS.get(frame["emotion"], "I see."))
            self.handed_over |= frame["emotion"] == "angry"

    def say(self, clock: float, line: str) -> None:
        print(f"{clock:6.1f} s  BOT: {line}")


if __name__ == "__main__":
    main()
