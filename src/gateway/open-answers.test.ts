import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { OpenAnswers } from "./open-answers.ts";

/** A server whose responses the test ends itself, and the next of them. */
async function scene(context: TestContext) {
	const answers = new OpenAnswers();
	const arrived: ServerResponse[] = [];
	const server = createServer((_, response) => {
		answers.add(response);
		arrived.push(response);
		server.emit("arrived");
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	context.after(() => {
		server.closeAllConnections();
		server.close();
	});
	const { port } = server.address() as AddressInfo;
	async function open() {
		const sent = get({ port, host: "127.0.0.1", agent: false });
		sent.on("error", () => undefined);
		await once(server, "arrived");
		return { sent, response: arrived.at(-1) as ServerResponse };
	}
	return { answers, open };
}

test("nothing is waited for where nothing is open", async () => {
	await new OpenAnswers().sent(1_000, new FakeClock());
});

test("it waits for every answer to be with its client", async (context) => {
	const { answers, open } = await scene(context);
	const [one, two] = [await open(), await open()];
	assert.equal(answers.count, 2);
	const sent = answers.sent(1_000, new FakeClock());
	one.sent.on("response", (response) => response.resume());
	two.sent.on("response", (response) => response.resume());
	one.response.end("first");
	two.response.end("second");
	await sent;
	assert.equal(answers.count, 0);
});

test("a client that goes away is not waited for", async (context) => {
	const { answers, open } = await scene(context);
	const { sent } = await open();
	const over = answers.sent(1_000, new FakeClock());
	sent.destroy();
	await over;
	assert.equal(answers.count, 0);
});

test("a client that does not read is waited for until the deadline", async (context) => {
	const { answers, open } = await scene(context);
	await open();
	const clock = new FakeClock();
	const over = answers.sent(1_000, clock);
	await clock.advance(1_000);
	await over;
	assert.equal(answers.count, 1);
});
