import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { systemClock } from "../../lib/clock.ts";
import { Engine } from "./engine.ts";
import { engineSentence } from "./engine-problem.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A stand-in for an engine, which answers pings itself, and what it was asked. */
async function standIn(t: TestContext, handler: Handler, version: string | null = "1.41") {
	const asked: string[] = [];
	const server = createServer((request, response) => {
		asked.push(`${request.method} ${request.url}`);
		if (request.url !== "/_ping") handler(request, response);
		else response.writeHead(200, version === null ? {} : { "api-version": version }).end("OK");
	});
	const socket = join(await tempFolder(t), "engine.sock");
	await new Promise<void>((resolve) => server.listen(socket, resolve));
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return { asked, socket, server, environment: { DOCKER_HOST: `unix://${socket}` } };
}

function json(value: unknown, status = 200): Handler {
	return (_request, response) => {
		response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
	};
}

function problemOf(outcome: { ok: boolean; problem?: unknown }) {
	assert.equal(outcome.ok, false);
	return outcome.problem as Parameters<typeof engineSentence>[0];
}

test("the newest version that both sides know is spoken", async (t) => {
	for (const [version, prefix] of [
		["1.41", "/v1.41"],
		// api_minor_max
		["1.50", "/v1.50"],
		["1.51", "/v1.51"],
		["1.52", "/v1.51"],
		["1.99", "/v1.51"],
		[null, ""],
		["2.0", ""],
	] as const) {
		const { asked, environment } = await standIn(t, json({ Id: "sha256:a" }), version);
		await new Engine(environment, systemClock).image("a");
		assert.deepEqual(asked, ["GET /_ping", `GET ${prefix}/images/a/json`]);
	}
});

test("an image is told by its id, its digests and its user", async (t) => {
	const raw = {
		Id: "a",
		Os: "linux",
		Architecture: "arm64",
		RepoDigests: ["x@sha256:b"],
		Config: { User: "node", Entrypoint: null, Cmd: ["a"] },
	};
	const { asked, environment } = await standIn(t, json(raw));
	const image = await new Engine(environment, systemClock).image("host:5000/x y/z:1@sha256:b");
	assert.deepEqual(image.ok && image.value, {
		id: "sha256:a",
		digests: ["x@sha256:b"],
		user: "node",
		entrypoint: [],
		command: ["a"],
		platform: "linux/arm64",
	});
	assert.equal(asked[1], "GET /v1.41/images/host%3A5000/x%20y/z%3A1%40sha256%3Ab/json");
});

test("where no engine answers, every place that was tried is named, and what to do", async () => {
	const engine = new Engine({ HOME: "/no/such", XDG_RUNTIME_DIR: "/no/run" }, systemClock);
	const problem = problemOf(await engine.image("a"));
	// A machine with an engine of its own has one at an address that every user gets.
	if (problem.kind !== "missing") return;
	assert.match(engineSentence(problem), /\/no\/run\/docker\.sock/);
	assert.match(engineSentence(problem), /DOCKER_HOST/);
	const unreadable = new Engine({ DOCKER_HOST: "nonsense" }, systemClock);
	assert.match(engineSentence(problemOf(await unreadable.image("a"))), /DOCKER_HOST.*no address/);
});

test("an engine that refuses is quoted, one that talks nonsense is not believed", async (t) => {
	const refusing = await standIn(t, json({ message: "no such image: a" }, 404));
	const refused = problemOf(await new Engine(refusing.environment, systemClock).image("a"));
	assert.deepEqual(refused, { kind: "refused", status: 404, message: "no such image: a" });
	assert.equal(engineSentence(refused), "refused: no such image: a");
	const plain = await standIn(t, (_request, response) => response.writeHead(500).end(" sorry\n"));
	const said = problemOf(await new Engine(plain.environment, systemClock).start("a"));
	assert.deepEqual(said, { kind: "refused", status: 500, message: "sorry" });
	const odd = await standIn(t, (_request, response) => response.end("<html>"));
	assert.equal(problemOf(await new Engine(odd.environment, systemClock).stats("a")).kind, "broken");
});

test("an engine that does not answer is given up, and looked for again", async (t) => {
	let silent = true;
	const { asked, environment } = await standIn(t, (request, response) => {
		if (!silent) json({}, 204)(request, response);
		else void clock.advance(60_000);
	});
	const clock = new FakeClock();
	const engine = new Engine(environment, clock);
	const problem = problemOf(await engine.pause("a"));
	assert.match(engineSentence(problem), /did not answer \(no answer within 60 s\)/);
	silent = false;
	assert.equal((await engine.pause("a")).ok, true);
	assert.deepEqual(asked.filter((line) => line.endsWith("/_ping")).length, 2);
});

test("an engine that ends the connection in the middle of an answer is broken", async (t) => {
	const { environment } = await standIn(t, (_request, response) => {
		response.writeHead(200, { "content-length": "100" });
		response.write("{");
		setImmediate(() => response.destroy());
	});
	const engine = new Engine(environment, systemClock);
	assert.equal(problemOf(await engine.image("a")).kind, "broken");
});

test("attaching to what is not there is refused, not waited for", async (t) => {
	const { environment } = await standIn(t, json({ message: "No such container: a" }, 404));
	const problem = problemOf(await new Engine(environment, systemClock).attach("a"));
	assert.match(engineSentence(problem), /No such container/);
	const { environment: odd } = await standIn(t, json({}));
	const answered = problemOf(await new Engine(odd, systemClock).attach("a"));
	assert.match(engineSentence(answered), /did not open a stream/);
});

test("use is read in the words of either version of control groups", async (t) => {
	const stats = (names: object) => ({
		memory_stats: { usage: 100, stats: names },
		cpu_stats: { cpu_usage: { total_usage: 5_000_000 } },
		pids_stats: { current: 3 },
	});
	for (const names of [{ total_inactive_file: 40 }, { inactive_file: 40 }]) {
		const { environment } = await standIn(t, json(stats(names)));
		const read = await new Engine(environment, systemClock).stats("a");
		assert.deepEqual(read.ok && read.value, { memory_bytes: 60, cpu_ms: 5, processes: 3 });
	}
	const { environment } = await standIn(t, json({}));
	const nothing = await new Engine(environment, systemClock).stats("a");
	assert.deepEqual(nothing.ok && nothing.value, { memory_bytes: 0, cpu_ms: 0, processes: 0 });
});

test("a pull that fails after it began is a failure", async (t) => {
	const { asked, environment } = await standIn(t, (_request, response) => {
		response.write('{"status":"Pulling from a"}\n');
		response.end('{"error":"manifest unknown"}\n');
	});
	const told: string[] = [];
	const engine = new Engine(environment, systemClock);
	for (const [name, query] of [
		["a", "a&tag=latest"],
		["h:5000/a", "h%3A5000%2Fa&tag=latest"],
		["a:1", "a%3A1"],
		["a@sha256:b", "a%40sha256%3Ab"],
	] as const) {
		const problem = problemOf(await engine.pull(name, (line) => told.push(line), undefined));
		assert.match(engineSentence(problem), /manifest unknown/);
		assert.equal(asked.at(-1), `POST /v1.41/images/create?fromImage=${query}`);
	}
	assert.equal(told[0], "Pulling from a");
});

test("an answer may be as long as an engine's are, and a longer one is not waited for", async (t) => {
	// answer_bytes_max
	const most = 8 * 1024 ** 2;
	const text = JSON.stringify({ Id: "sha256:a" });
	let bytes = 0;
	const { environment } = await standIn(t, (_request, response) => {
		response.end(text.padEnd(bytes));
	});
	const engine = new Engine(environment, systemClock);
	for (bytes of [most - 1, most]) {
		const image = await engine.image("a");
		assert.equal(image.ok && image.value.id, "sha256:a", String(bytes));
	}
	bytes = most + 1;
	const problem = problemOf(await engine.image("a"));
	assert.equal(engineSentence(problem), "did not answer (its answer is too long)");
	bytes = text.length;
	assert.ok((await engine.image("a")).ok, "what is asked next is answered");
});

test("an engine is quoted with as much as a sentence bears", () => {
	// message_chars_max
	const quoted = (length: number) =>
		engineSentence({ kind: "refused", status: 500, message: "x".repeat(length) });
	for (const length of [499, 500]) assert.equal(quoted(length), `refused: ${"x".repeat(length)}`);
	assert.equal(quoted(501), `refused: ${"x".repeat(500)}…`);
});
