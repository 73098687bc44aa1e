/**
 * Never answers: nothing at all, or, with `--after_handshake`, nothing behind the handshake.
 */
import { serve, toolServer } from "./wire/serve.mjs";

const answers = process.argv.includes("--after_handshake");
const mute = { name: "mute", call: () => new Promise(() => {}) };
const behaviour = toolServer("silent", [mute], {
	intercept: (message) => !answers && message.method !== "notifications/initialized",
});

if (answers || / --(http|sse)\b/.test(process.argv.join(" "))) serve(behaviour);
else process.stdin.on("end", () => process.exit(0)).resume();
