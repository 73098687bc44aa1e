import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Json } from "../matrix/peer.ts";
import { stdioFixture } from "../support/gateway.ts";
import { type MoorageProcess, startMoorage } from "../support/moorage-process.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { ModernWire } from "../support/wire-clients.ts";

/*
 * Calls that wait for people, in a gateway that is killed again and again wherever it happens to
 * be: when a call is asked for, when it is decided, while it runs, when its result is asked for.
 * What was agreed to is done once, or it is said that nobody knows.
 */

const rounds = 12;
const calls_each_round = 4;
/** Answers that a round waits for at most before its gateway is killed. */
const answers_max = 16;
/** Turns of the event loop between sending a request and killing whoever is to answer it. */
const turns_max = 1_500;

const tasks = '{"extensions":{"io.modelcontextprotocol/tasks":{}}}';

/** A call that somebody wants to be made, and how far it has come. */
interface Wanted {
	readonly key: string;
	/** Whether its client knows tasks. */
	readonly is_task: boolean;
	/** Its task, once there is one. */
	task_id?: string | undefined;
	/** What its client was told: that it is paid. */
	is_paid: boolean;
	/** How often its client was told that nobody knows what became of it. */
	unknown: number;
}

interface StoredApproval {
	readonly id: string;
	readonly state: string;
	readonly arguments: { readonly key: string };
}

/** The gateway, and the moment at which it is killed. */
class Target {
	readonly gateway: MoorageProcess;
	readonly #token: string;
	/** Requests to be sent before it is killed; undefined: it is left alone. */
	#left: number | undefined;
	#turns = 0;
	#killed: Promise<void> | undefined;

	constructor(gateway: MoorageProcess, token: string) {
		this.gateway = gateway;
		this.#token = token;
	}

	/** It is to be killed some turns after so many requests from now on. */
	killAfter(requests: number, turns: number): void {
		this.#left = requests;
		this.#turns = turns;
	}

	/** A request whose answer may never come. */
	async ask<Value>(answer: Promise<Value>): Promise<Value> {
		if (this.#left !== undefined) {
			this.#left -= 1;
			if (this.#left === 0) this.#killed = this.#killSoon();
		}
		return answer;
	}

	async #killSoon(): Promise<void> {
		for (let turn = 0; turn < this.#turns; turn += 1) {
			await new Promise((resolve) => setImmediate(resolve));
		}
		await this.gateway.kill();
	}

	/** Resolves once it is killed, at the latest now. */
	async kill(): Promise<void> {
		await (this.#killed ?? this.gateway.kill());
	}

	async admin<Body>(method: string, path: string, body?: object): Promise<Body> {
		const headers = {
			authorization: `Bearer ${this.#token}`,
			"content-type": "application/json",
		};
		const sent = body === undefined ? {} : { body: JSON.stringify(body) };
		const asked = fetch(new URL(path, this.gateway.report.url), { method, headers, ...sent });
		return (await (await this.ask(asked)).json()) as Body;
	}

	async approvals(): Promise<readonly StoredApproval[]> {
		return (await this.admin<{ approvals: StoredApproval[] }>("GET", "/api/approvals")).approvals;
	}
}

async function scene(t: TestContext) {
	const folder = await tempFolder(t);
	const config = join(folder, "moorage.yaml");
	const payments = join(folder, "payments");
	await writeFile(payments, "");
	const paying = {
		...stdioFixture("paying"),
		env: { PAYMENTS: payments },
		sandbox: "off",
		tools: { pay: { approval: "required" } },
	};
	await writeFile(
		config,
		JSON.stringify({ version: 1, servers: { paying }, approvals: { wait: "10ms" } }),
	);
	const data = join(folder, "data");
	return {
		async start(): Promise<Target> {
			const gateway = await startMoorage(config, data);
			t.after(() => gateway.process.kill("SIGKILL"));
			const { admin_token_path } = gateway.report as unknown as { admin_token_path: string };
			const token = (await readFile(admin_token_path, "utf8")).trim();
			return new Target(gateway, token);
		},
		async paid(): Promise<ReadonlyMap<string, number>> {
			const counts = new Map<string, number>();
			for (const key of (await readFile(payments, "utf8")).trim().split("\n")) {
				counts.set(key, (counts.get(key) ?? 0) + 1);
			}
			return counts;
		},
	};
}

const approve = (target: Target, id: string) =>
	target.admin("POST", `/api/approvals/${id}/decision`, { verdict: "approve" });

/** Makes a call until it is paid; what is not known to have run is asked for again. */
async function pay(target: Target, wanted: Wanted): Promise<void> {
	const client = new ModernWire(target.gateway.address("paying"), wanted.is_task ? tasks : "{}");
	const json = JSON.stringify({ key: wanted.key });
	while (!wanted.is_paid) {
		if (wanted.task_id !== undefined) {
			await finishTask(target, client, wanted);
			continue;
		}
		const { result }: Json = await target.ask(client.call("pay", json));
		const told = result.statusMessage ?? result.content[0].text;
		wanted.task_id = result.taskId;
		wanted.is_paid = told === `paid ${wanted.key}`;
		const [id] = /appr_[\w-]+/.exec(told) ?? [];
		if (!wanted.is_paid) await approve(target, id ?? assert.fail(told));
	}
}

async function finishTask(target: Target, client: ModernWire, wanted: Wanted): Promise<void> {
	const task_id = wanted.task_id ?? "";
	const params = JSON.stringify({ taskId: task_id });
	const headers = { "mcp-name": task_id };
	const { result }: Json = await target.ask(client.ask({ method: "tasks/get", params, headers }));
	if (result.status === "completed") {
		assert.equal(result.result.content[0].text, `paid ${wanted.key}`);
		wanted.is_paid = true;
	} else if (result.status === "failed") {
		assert.match(result.error.message, /may have run/, JSON.stringify(result));
		wanted.unknown += 1;
		wanted.task_id = undefined;
	} else {
		const [id] = /appr_[\w-]+/.exec(result.statusMessage ?? "") ?? [];
		if (id !== undefined) await approve(target, id);
	}
}

/** Holds what was paid against what was agreed to. */
function compare(
	all: readonly Wanted[],
	approvals: readonly StoredApproval[],
	paid: ReadonlyMap<string, number>,
): void {
	for (const { key, is_paid } of all) {
		const states = approvals.filter((one) => one.arguments.key === key).map(({ state }) => state);
		const done = states.filter((state) => state === "done").length;
		const unknown = states.filter((state) => state === "unknown").length;
		const count = paid.get(key) ?? 0;
		const story = `${key} was paid ${count} times; its approvals are ${states.join(", ")}`;
		assert.ok(done <= count && count <= done + unknown, story);
		assert.ok(done <= 1 && (!is_paid || done === 1), story);
	}
}

test(`in ${rounds} kills every call that was agreed to runs once, or is said to be unknown`, async (t) => {
	const { start, paid } = await scene(t);
	const random = new SeededRandom(20_261_129);
	const all: Wanted[] = [];
	for (let round = 0; round < rounds; round += 1) {
		const target = await start();
		const found = await target.approvals();
		assert.ok(!found.some(({ state }) => state === "running"));
		compare(all, found, await paid());
		target.killAfter(1 + random.below(answers_max), random.below(turns_max));
		for (let at = 0; at < calls_each_round; at += 1) {
			const key = `r${round}-${at}`;
			all.push({ key, is_task: at % 2 === 1, is_paid: false, unknown: 0 });
		}
		const open = all.filter(({ is_paid }) => !is_paid);
		const ended = await Promise.allSettled(open.map((wanted) => pay(target, wanted)));
		await target.kill();
		for (const one of ended) {
			// Connections break, and whatever was asked last is not answered; nothing else goes wrong.
			if (one.status === "rejected" && one.reason instanceof assert.AssertionError) {
				if (!/no message in an answer/.test(one.reason.message)) throw one.reason;
			}
		}
	}
	const last = await start();
	await Promise.all(all.filter(({ is_paid }) => !is_paid).map((wanted) => pay(last, wanted)));
	const approvals = await last.approvals();
	compare(all, approvals, await paid());
	assert.ok(all.every(({ is_paid }) => is_paid));
	assert.equal(await last.gateway.stop(), 0);
	const of = (state: string) => approvals.filter((one) => one.state === state).length;
	t.diagnostic(`${of("done")} done, ${of("unknown")} of which nobody knows`);
});
