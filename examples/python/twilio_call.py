"""A WAV file (16 bit, 8 kHz, mono) as Twilio Media Streams would send it: 20 ms of mu-law in each JSON message."""
import base64
import json
import struct
import time
import wave
from collections.abc import Iterator
from pathlib import Path

FRAME_SECONDS = 0.02
RATE = 8000


def messages(file: Path, parameters: dict[str, str] | None = None, real_time: bool = True) -> Iterator[str]:
    """Refuses a file of another kind at once: in the thread that asks for the first message, nobody would hear of it."""
    try:
        recording = wave.open(str(file))
        is_ours = (recording.getnchannels(), recording.getsampwidth(), recording.getframerate()) == (1, 2, RATE)
    except (wave.Error, EOFError):
        is_ours = False
    if not is_ours:
        raise SystemExit(f"{file}: needs a WAV file of 16 bit, {RATE} Hz, mono (sox IN.wav -b 16 -r {RATE} -c 1 OUT.wav)")
    return spoken(recording, parameters or {}, real_time)


def spoken(recording: wave.Wave_read, parameters: dict[str, str], real_time: bool) -> Iterator[str]:
    yield json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})
    yield json.dumps({"event": "start", "sequenceNumber": "1", "streamSid": "MZ0", "start": {
        "streamSid": "MZ0", "accountSid": "AC0", "callSid": "CA0", "tracks": ["inbound"], "customParameters": parameters,
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": RATE, "channels": 1}}})
    for number, frame in enumerate(frames(recording), 1):
        payload = base64.b64encode(frame).decode()
        media = {"track": "inbound", "chunk": str(number), "timestamp": str(20 * (number - 1)), "payload": payload}
        yield json.dumps({"event": "media", "sequenceNumber": str(number + 1), "streamSid": "MZ0", "media": media})
        if real_time:
            time.sleep(FRAME_SECONDS)
    yield json.dumps({"event": "stop", "streamSid": "MZ0", "stop": {"accountSid": "AC0", "callSid": "CA0"}})


def frames(recording: wave.Wave_read) -> Iterator[bytes]:
    with recording:
        # Half a sample is left where a file was cut off.
        while samples := len(data := recording.readframes(round(RATE * FRAME_SECONDS))) // 2:
            yield bytes(map(mulaw, struct.unpack_from(f"<{samples}h", data)))


def mulaw(sample: int) -> int:
    """A sample by G.711."""
    magnitude = min(abs(sample), 32635) + 132
    exponent = magnitude.bit_length() - 8
    return ~((0x80 if sample < 0 else 0) | exponent << 4 | (magnitude >> exponent + 3) & 15) & 0xFF
