import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { createContext } from "../../test/support/run-cli.ts";
import { until } from "../../test/support/until.ts";
import type { InputRequest } from "../config/inputs.ts";
import { inputAsker } from "./ask-input.ts";

const question: InputRequest = {
	id: "key",
	description: "API key",
	password: false,
	default_value: undefined,
	options: [],
};

/** A person at a terminal: what is shown to them, and what they type. */
function openTerminal(tty = true) {
	const stdin = Object.assign(new PassThrough(), { isTTY: tty });
	const stderr = Object.assign(new PassThrough(), { isTTY: tty });
	const shown = { text: "" };
	stderr.on("data", (chunk: Buffer) => {
		shown.text += chunk.toString();
	});
	const { context } = createContext({ cwd: "/" });
	return { ask: inputAsker({ ...context, stdin, stderr }), stdin, shown };
}

test("a question is asked once for its id, and answered from then on", async () => {
	const { ask, stdin, shown } = openTerminal();
	assert.ok(ask);
	const first = ask(question);
	await until(() => shown.text.includes("API key: "));
	stdin.write("secret\r");
	assert.equal(await first, "secret");
	assert.equal(await ask(question), "secret");
	assert.equal(shown.text.split("API key").length, 2);
});

test("what is typed for a password is not shown", async () => {
	const { ask, stdin, shown } = openTerminal();
	const answer = ask?.({ ...question, password: true });
	await until(() => shown.text.includes("API key: "));
	stdin.write("secret\r");
	assert.equal(await answer, "secret");
	assert.ok(!shown.text.includes("s"), shown.text);
});

test("choices and the default are shown; an empty answer takes the default", async () => {
	const { ask, stdin, shown } = openTerminal();
	const answer = ask?.({ ...question, options: ["a", "b"], default_value: "b" });
	await until(() => shown.text.includes("API key [a, b] (b): "));
	stdin.write("\r");
	assert.equal(await answer, "b");
});

test("several questions are asked one after the other", async () => {
	const { ask, stdin, shown } = openTerminal();
	assert.ok(ask);
	const answers = [ask(question), ask({ ...question, id: "b", description: "Second" })];
	await until(() => shown.text.includes("API key: "));
	assert.ok(!shown.text.includes("Second"));
	stdin.write("1\r");
	await until(() => shown.text.includes("Second: "));
	stdin.write("2\r");
	assert.deepEqual(await Promise.all(answers), ["1", "2"]);
});

test("a question that is left unanswered rejects", async () => {
	const { ask, stdin, shown } = openTerminal();
	const answer = ask?.(question);
	await until(() => shown.text.includes("API key: "));
	stdin.end();
	await assert.rejects(answer ?? Promise.resolve(), /left unanswered/);
});

test("without a terminal nobody is asked", () => {
	assert.equal(openTerminal(false).ask, undefined);
});
