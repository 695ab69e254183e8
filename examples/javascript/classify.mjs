// Post a recording and print what was heard. Needs Node 18 or later, and no package.
//
//     node examples/javascript/classify.mjs examples/caller.wav [http://127.0.0.1:8080]
import { readFile } from "node:fs/promises";

const [file, url = "http://127.0.0.1:8080"] = process.argv.slice(2);
const headers = { "Content-Type": "application/octet-stream" };
if (process.env.EMOTONE_API_KEY) headers.Authorization = `Bearer ${process.env.EMOTONE_API_KEY}`;

const answer = await fetch(`${url}/classify`, { method: "POST", body: await readFile(file), headers });
const heard = await answer.json();
if (!answer.ok) throw new Error(`${answer.status}: ${heard.error.message}`);

for (const { channel, emotion, segments } of heard.channels) {
  console.log(`channel ${channel}: ${emotion ?? "no speech"}`);
  for (const { start_seconds, end_seconds, emotion, confidence } of segments) {
    console.log(`${start_seconds} to ${end_seconds} s  ${emotion ?? "-"} ${confidence?.toFixed(2) ?? ""}`);
  }
}
