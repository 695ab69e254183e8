// Stream a WAV file (16 bit, 8 kHz, mono) as Twilio would, and print the timeline as it comes.
// Needs Node 22 (or 20 with --experimental-websocket), and no package.
//
//     node examples/javascript/stream-call.mjs examples/caller.wav [ws://127.0.0.1:8080/stream] [--fast]
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const fast = process.argv.includes("--fast");
const [file, url = "ws://127.0.0.1:8080/stream"] = process.argv.slice(2).filter((word) => word !== "--fast");
const RATE = 8000;
const SAMPLES_A_FRAME = 160;
const PCM = 1;

const samples = samplesOf(await readFile(file));
if (!samples) {
  console.error(`${file}: needs a WAV file of 16 bit, ${RATE} Hz, mono (sox IN.wav -b 16 -r ${RATE} -c 1 OUT.wav)`);
  process.exit(1);
}

/** The samples of a WAV file, or nothing if it is not of that kind. */
function samplesOf(recording) {
  const name = (at) => recording.toString("latin1", at, at + 4);
  if (name(0) !== "RIFF" || name(8) !== "WAVE") return undefined;
  let isOurs = false;
  for (let at = 12; at + 8 <= recording.length; ) {
    const size = recording.readUInt32LE(at + 4);
    // A file that was written to a pipe says that it is longer than it is.
    const body = recording.subarray(at + 8, at + 8 + size);
    if (name(at) === "fmt " && body.length >= 16) {
      const [format, channels, rate, bits] = [body.readUInt16LE(0), body.readUInt16LE(2), body.readUInt32LE(4), body.readUInt16LE(14)];
      isOurs = format === PCM && channels === 1 && rate === RATE && bits === 16;
    }
    if (name(at) === "data") return isOurs ? Int16Array.from({ length: body.length >> 1 }, (_, index) => body.readInt16LE(2 * index)) : undefined;
    at += 8 + size + (size % 2);
  }
  return undefined;
}

/** A sample by G.711. */
function mulaw(sample) {
  const magnitude = Math.min(Math.abs(sample), 32635) + 132;
  const exponent = 24 - Math.clz32(magnitude);
  return ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | ((magnitude >> (exponent + 3)) & 15)) & 0xff;
}

const socket = new WebSocket(url);
const say = (message) => socket.send(JSON.stringify({ streamSid: "MZ0", ...message }));

socket.onopen = async () => {
  const mediaFormat = { encoding: "audio/x-mulaw", sampleRate: RATE, channels: 1 };
  say({ event: "connected", protocol: "Call", version: "1.0.0" });
  say({ event: "start", start: { callSid: "CA0", tracks: ["inbound"], mediaFormat, customParameters: {} } });
  for (let chunk = 1, at = 0; at < samples.length; chunk += 1, at += SAMPLES_A_FRAME) {
    const payload = Buffer.from(Array.from(samples.subarray(at, at + SAMPLES_A_FRAME), mulaw)).toString("base64");
    say({ event: "media", media: { track: "inbound", chunk: String(chunk), timestamp: String(20 * (chunk - 1)), payload } });
    if (!fast) await sleep(20);
  }
  say({ event: "stop" });
};

socket.onmessage = ({ data }) => {
  const frame = JSON.parse(data);
  if (frame.type === "segment") console.log(`${frame.start_seconds} to ${frame.end_seconds} s  ${frame.status} ${frame.emotion ?? ""}`);
  if (frame.type === "summary") console.log(`${frame.duration_seconds} s in all: ${frame.channels[0].emotion ?? "no speech"}`);
  if (frame.type === "error") console.error(`${frame.code}: ${frame.message}`);
};
socket.onclose = ({ code }) => { process.exitCode = code === 1000 ? 0 : 1; };
