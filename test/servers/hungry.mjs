/**
 * `eat` takes memory bit by bit, until nothing more is given or its process is ended; `greet`
 * answers, `kernel` says which one it runs on.
 */
import { release } from "node:os";
import { serve, text, toolServer } from "./wire/serve.mjs";

const bit_bytes = 4 * 1024 ** 2;

function eat() {
	const eaten = [];
	const bite = () => {
		eaten.push(Buffer.alloc(bit_bytes, 1));
		setTimeout(bite, 10);
	};
	bite();
	return new Promise(() => {});
}

serve(
	toolServer("hungry", [
		{ name: "eat", call: eat },
		{ name: "greet", call: () => text("hello") },
		{ name: "kernel", call: () => text(release()) },
	]),
);
