// Stream a WAV file (16 bit, 8 kHz, mono) as Twilio would, and print the timeline as it comes.
// Needs Node 22 (or 20 with --experimental-websocket), and no package.
//
//     node examples/javascript/stream-call.mjs examples/caller.wav [ws://127.0.0.1:8080/stream] [--fast]
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const fast = process.argv.includes("--fast");
const [file, url = "ws://127.0.0.1:8080/stream"] = process.argv.slice(2).filter((word) => word !== "--fast");
const WAV_HEADER_BYTES = 44;
const SAMPLES_A_FRAME = 160;

const recording = await readFile(file);
const samples = new Int16Array(recording.buffer.slice(recording.byteOffset + WAV_HEADER_BYTES));

/** A sample by G.711. */
function mulaw(sample) {
  const magnitude = Math.min(Math.abs(sample), 32635) + 132;
  const exponent = 24 - Math.clz32(magnitude);
  return ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | ((magnitude >> (exponent + 3)) & 15)) & 0xff;
}

const socket = new WebSocket(url);
const say = (message) => socket.send(JSON.stringify({ streamSid: "MZ0", ...message }));

socket.onopen = async () => {
  const mediaFormat = { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 };
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
