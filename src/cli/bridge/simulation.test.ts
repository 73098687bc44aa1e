import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
	initialize,
	initialized,
	modern,
	openBridge,
	parse,
	type Received,
	reply,
	result,
	sessions,
	stream,
} from "../../../test/support/bridge-scene.ts";
import { until } from "../../../test/support/until.ts";

/** What the endpoint does with a request the first time; later it simply answers. */
const behaviours = [
	"json",
	"stream",
	"notes and stream",
	"turned away",
	"cut before",
	"cut between",
	"refused",
	"session gone",
] as const;
type Behaviour = (typeof behaviours)[number];

interface Step {
	readonly method: "tools/call" | "tools/list";
	readonly modern: boolean;
	readonly behaviour: Behaviour;
	/** Whether the answer waits until everything has been sent. */
	readonly late: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
	method: fc.constantFrom("tools/call", "tools/list"),
	modern: fc.boolean(),
	behaviour: fc.constantFrom(...behaviours),
	late: fc.boolean(),
});

const note = { jsonrpc: "2.0", method: "notifications/message", params: {} };

/** Plays the endpoint's part: once per request as the step says, then plainly. */
class Part {
	/** How often each request was carried out. */
	readonly carried_out = new Map<number, number>();
	readonly #steps: readonly Step[];
	readonly #seen = new Set<number>();
	readonly #late: (() => void)[] = [];
	readonly #forgetSession: () => void;
	#released = false;

	constructor(steps: readonly Step[], forgetSession: () => void) {
		this.#steps = steps;
		this.#forgetSession = forgetSession;
	}

	answer(received: Received): void {
		const id = parse(received.body)["id"] as number;
		const { behaviour, late } = this.#steps[id] as Step;
		const first = !this.#seen.has(id);
		this.#seen.add(id);
		const act = () => this.#act(received, id, first ? behaviour : "json");
		if (late && !this.#released) this.#late.push(act);
		else act();
	}

	/** Answers what has waited, as soon as every request has been seen. */
	async release(): Promise<void> {
		await until(() => this.#seen.size === this.#steps.length);
		this.#released = true;
		for (const act of this.#late) act();
	}

	#act({ response }: Received, id: number, behaviour: Behaviour): void {
		const turned_away = behaviour === "turned away" || behaviour === "session gone";
		if (!turned_away && behaviour !== "refused") {
			this.carried_out.set(id, (this.carried_out.get(id) ?? 0) + 1);
		}
		switch (behaviour) {
			case "json":
				reply(response, JSON.stringify(result(id)));
				break;
			case "notes and stream":
				stream(response, note, note);
				response.end(`data: ${JSON.stringify(result(id))}\n\n`);
				break;
			case "stream":
				stream(response, result(id));
				response.end();
				break;
			case "turned away":
				response.writeHead(503).end('{"error":"gateway_stopping"}');
				break;
			case "cut before":
				response.destroy();
				break;
			case "cut between":
				stream(response, note);
				setImmediate(() => response.destroy());
				break;
			case "refused":
				response.writeHead(400).end("no");
				break;
			case "session gone":
				if ((this.#steps[id] as Step).modern) {
					response.writeHead(503).end();
					break;
				}
				this.#forgetSession();
				response.writeHead(404);
				response.end('{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"gone"}}');
		}
	}
}

test("whatever the gateway does, each request has one answer and no call is made twice", async (context) => {
	const runs = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
		const scene = await openBridge(context);
		const state = sessions(scene, (received) => part.answer(received));
		const part = new Part(steps, () => {
			state.valid = undefined;
		});
		scene.send({ ...initialize, id: "handshake" }, initialized);
		for (const [id, { method, modern: is_modern }] of steps.entries()) {
			const params = method === "tools/call" ? { name: "a", arguments: {} } : {};
			scene.send(is_modern ? modern(id, method, params) : { jsonrpc: "2.0", id, method, params });
		}
		scene.stdin.end();
		await part.release();
		await scene.done;

		const answers = scene.lines.map(parse).filter((line) => line["id"] !== undefined);
		const ids = answers.map((line) => line["id"]);
		assert.deepEqual(new Set(ids), new Set(["handshake", ...steps.keys()]));
		assert.equal(ids.length, steps.length + 1);
		for (const [id, { method, behaviour }] of steps.entries()) {
			const answer = answers.find((line) => line["id"] === id) as Record<string, unknown>;
			const cut = behaviour === "cut before" || behaviour === "cut between";
			const fails = behaviour === "refused" || (cut && method === "tools/call");
			assert.equal("error" in answer, fails, `${id} ${behaviour}: ${JSON.stringify(answer)}`);
			if (method === "tools/call") {
				assert.equal(part.carried_out.get(id) ?? 0, behaviour === "refused" ? 0 : 1);
			}
		}
	});
	await fc.assert(runs, { numRuns: 25, interruptAfterTimeLimit: 60_000 });
});
