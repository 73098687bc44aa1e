/**
 * Answers until its tool `hang` is called: from then on its only thread is kept busy, so that it
 * reads nothing, answers nothing and hears no signal but SIGKILL.
 */
import { randomUUID } from "node:crypto";
import { serve, text, toolServer } from "./wire/serve.mjs";

/** A process in a sandbox has the same pid each time. */
const own_name = randomUUID();
const hang = () => {
	for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
};

serve(
	toolServer("stuck", [
		{ name: "hang", call: hang },
		{ name: "greet", call: () => text(`hello from ${own_name}`) },
	]),
);
