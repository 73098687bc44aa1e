/** Answers `huge` with a text of `bytes` bytes (5 MB when not said), made once per size. */
import { serve, toolServer } from "./wire/serve.mjs";

const made = new Map();

function resultOf(bytes) {
	const found =
		made.get(bytes) ?? `{"content":[{"type":"text","text":"${"0123456789".repeat(bytes / 10)}"}]}`;
	made.set(bytes, found);
	return found;
}

serve(
	toolServer("huge", [
		{ name: "huge", call: ({ arguments: { bytes } }) => resultOf(bytes ?? 5_000_000) },
		{
			name: "length",
			call: (call) => `{"content":[{"type":"text","text":"${call.bytes.length}"}]}`,
		},
	]),
);
