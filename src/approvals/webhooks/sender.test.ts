import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { type TestContext, test } from "node:test";
import { sampleHook } from "../../../test/support/approval-hook.ts";
import { sampleApproval } from "../../../test/support/approval-samples.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { type SeenRequest, serveHttp } from "../../../test/support/local-http.ts";
import { MemoryLog } from "../../../test/support/memory-log.ts";
import { until } from "../../../test/support/until.ts";
import type { ApprovalWebhookPlan } from "../../config/approval-webhooks.ts";
import { isSignedWebhook } from "../../lib/webhook-signature.ts";
import { SecretRedactor } from "../../secrets/redactor.ts";
import type { Approval } from "../approval.ts";
import { ApprovalWebhooks, held_max, sent_at_once_max } from "./sender.ts";

const minute_ms = 60_000;

type Answer = (request: SeenRequest, response: ServerResponse) => void;
const taken: Answer = (_, response) => response.writeHead(204).end();
const refused: Answer = (_, response) => response.writeHead(500).end();

/** A sender to receivers that all answer at one address, by the path of each one's name. */
async function setUp(t: TestContext, options: { answer?: Answer; hooks?: object[] } = {}) {
	let answer = options.answer ?? taken;
	const { origin, seen } = await serveHttp(t, (request, response) => answer(request, response));
	let hooks = (options.hooks ?? [{}]).map((change): ApprovalWebhookPlan => {
		const hook = sampleHook(change);
		return { ...hook, url: `${origin}/${hook.name}` };
	});
	const clock = new FakeClock();
	const log = new MemoryLog();
	const redactor = new SecretRedactor();
	const tried: string[] = [];
	const make = () => {
		const sender = new ApprovalWebhooks({
			clock,
			log,
			redactor,
			hooks: () => hooks,
			links: ({ id }, { name, decides }) => ({
				page: `https://moorage.example/approvals/${id}`,
				dashboard: `https://moorage.example/#/approvals/${id}`,
				decision: decides ? `https://moorage.example/approvals/webhooks/${name}` : undefined,
			}),
			onTried: (hook, outcome) => tried.push(`${hook} ${outcome}`),
		});
		t.after(() => sender.stop());
		return sender;
	};
	return {
		...{ clock, log, redactor, seen, tried, make, sender: make(), hooks },
		setAnswer: (next: Answer) => {
			answer = next;
		},
		setHooks: (next: ApprovalWebhookPlan[]) => {
			hooks = next;
		},
		/** Waits until so many tries have ended. */
		ended: (count: number) => until(() => tried.length >= count),
	};
}

const typeOf = ({ body }: SeenRequest) => (body as { type?: string } | undefined)?.type;
const dataOf = ({ body }: SeenRequest) =>
	(body as unknown as { data: Record<string, unknown> }).data;

test("a call that waits is told, signed, with what would run and where to decide", async (t) => {
	const { sender, seen, ended, hooks, clock } = await setUp(t);
	sender.changed(sampleApproval());
	await ended(1);
	const [request] = seen as [SeenRequest];
	const { headers } = request;
	const said = {
		id: String(headers["webhook-id"]),
		timestamp: String(headers["webhook-timestamp"]),
		signature: String(headers["webhook-signature"]),
	};
	assert.equal(said.timestamp, String(clock.now() / 1000));
	assert.ok(isSignedWebhook(hooks[0]?.secret ?? "", said, JSON.stringify(request.body)));
	assert.equal(typeOf(request), "approval.pending");
	const { approval, arguments_json, arguments_shown, principal, links } = dataOf(request);
	assert.deepEqual([approval, principal], ["appr_1", "acme/ana"]);
	assert.deepEqual([arguments_json, arguments_shown], ['{"path":"/a"}', "whole"]);
	assert.deepEqual(links, {
		page: "https://moorage.example/approvals/appr_1",
		dashboard: "https://moorage.example/#/approvals/appr_1",
		decision: "https://moorage.example/approvals/webhooks/chat",
	});
	assert.doesNotMatch(JSON.stringify(request), /a secret that both know/);
});

test("what became of it is told once, and nothing about its run", async (t) => {
	const { sender, seen, ended } = await setUp(t, { hooks: [{ decides: false }] });
	const pending = sampleApproval();
	for (const state of ["pending", "pending", "approved", "running", "approved", "done"] as const) {
		sender.changed({ ...pending, state });
	}
	const other = { ...pending, id: "appr_2", votes: [] };
	sender.changed({ ...other, state: "denied" });
	sender.changed({ ...other, id: "appr_3", state: "expired" });
	await ended(4);
	await sender.stop();
	const told = seen.map((one) => `${dataOf(one)["approval"]} ${typeOf(one)}`);
	assert.deepEqual(told.toSorted(), [
		"appr_1 approval.approved",
		"appr_1 approval.pending",
		"appr_2 approval.denied",
		"appr_3 approval.expired",
	]);
	assert.equal("decision" in (dataOf(seen[0] as SeenRequest)["links"] as object), false);
});

test("a receiver hears only of its tenant's calls", async (t) => {
	const hooks = [{ name: "ours", tenant: "acme" }, { name: "theirs", tenant: "other" }, {}];
	const { sender, seen, ended } = await setUp(t, { hooks });
	sender.changed(sampleApproval());
	await ended(2);
	await sender.stop();
	assert.deepEqual(seen.map(({ url }) => url).toSorted(), ["/chat", "/ours"]);
});

test("secrets are taken out, and what is too long is left out", async (t) => {
	const { sender, seen, ended, redactor } = await setUp(t);
	redactor.add("correct-horse-battery");
	const shown = async (change: Partial<Approval>) => {
		const before = seen.length;
		sender.changed(sampleApproval(change));
		await ended(before + 1);
		const request = seen[before] as SeenRequest;
		assert.doesNotMatch(JSON.stringify(request.body), /correct-horse|easy|xxxx/);
		return dataOf(request);
	};
	const known = await shown({
		id: "appr_a",
		arguments: '{"text":"correct-horse-battery"}',
		client_name: "correct-horse-battery",
	});
	assert.deepEqual(
		[known["arguments_json"], known["arguments_shown"], known["client_name"]],
		['{"text":"[redacted]"}', "redacted", "[redacted]"],
	);
	const vote = { approver: "acme/bob", verdict: "approve", via: "api", at_ms: 1 } as const;
	const voted = await shown({
		id: "appr_b",
		arguments: '{"password":"easy"}',
		votes: [{ ...vote, reason: "It is correct-horse-battery.", arguments_hash: "h" }],
	});
	assert.equal(voted["arguments_json"], '{"password":"[redacted]"}');
	assert.match(JSON.stringify(voted["votes"]), /It is \[redacted\]\./);
	const long = await shown({ id: "appr_c", arguments: `{"text":"${"x".repeat(70_000)}"}` });
	assert.deepEqual([long["arguments_json"], long["arguments_shown"]], [undefined, "omitted"]);
});

test("arguments are shown byte for byte, whatever JSON would make of them", async (t) => {
	const { sender, seen, ended } = await setUp(t);
	const exact = '{"amount": 12345678901234567890, "to":"a","to":"b", "x":1.0}';
	sender.changed(sampleApproval({ arguments: exact }));
	await ended(1);
	const { arguments_json, arguments_shown } = dataOf(seen[0] as SeenRequest);
	assert.deepEqual([arguments_json, arguments_shown], [exact, "whole"]);
});

test("what is not taken is sent again under the same id, later and later, and then given up", async (t) => {
	const { sender, seen, ended, clock, log, tried } = await setUp(t, { answer: refused });
	sender.changed({ ...sampleApproval(), state: "denied" });
	const start_ms = clock.now();
	const at_s: number[] = [];
	for (let tries = 1; tries <= 7; tries += 1) {
		await ended(tries);
		at_s.push((clock.now() - start_ms) / 1000);
		await until(() => clock.pending > 0 || tries === 7);
		await clock.advance((clock.next_due_ms ?? clock.monotonic()) - clock.monotonic());
	}
	assert.deepEqual(at_s, [0, 1, 6, 21, 81, 381, 1281]);
	await ended(8);
	assert.deepEqual(tried, [...Array(7).fill("chat failed"), "chat lost"]);
	assert.equal(seen.length, 7);
	assert.equal(new Set(seen.map(({ headers }) => headers["webhook-id"])).size, 1);
	assert.deepEqual(
		log.lines.map(({ level }) => level),
		[...Array(6).fill("warn"), "error"],
	);
	assert.equal(log.lines[0]?.fields["problem"], "it answered with HTTP status 500");
	assert.doesNotMatch(JSON.stringify(log.lines), /127\.0\.0\.1/);
	assert.equal(clock.pending, 0);
});

test("a receiver that is back hears of it with its next turn, signed for then", async (t) => {
	const { sender, seen, ended, clock, setAnswer, tried } = await setUp(t, { answer: refused });
	sender.changed(sampleApproval());
	await ended(1);
	setAnswer(taken);
	await until(() => clock.next_due_ms === 1000);
	await clock.advance(1000);
	await ended(2);
	assert.deepEqual(tried, ["chat failed", "chat told"]);
	const stamps = seen.map(({ headers }) => Number(headers["webhook-timestamp"]));
	assert.equal((stamps[1] ?? 0) - (stamps[0] ?? 0), 1);
});

test("nobody is asked about what has been decided, or changed, meanwhile", async (t) => {
	const { sender, seen, ended, clock, setAnswer } = await setUp(t, { answer: refused });
	const pending = sampleApproval();
	sender.changed(pending);
	sender.changed({ ...pending, id: "appr_2" });
	await ended(2);
	setAnswer(taken);
	await until(() => clock.next_due_ms === 1000);
	sender.changed({ ...pending, arguments: "{}", arguments_hash: "another" });
	sender.changed({ ...pending, id: "appr_2", state: "denied" });
	await ended(4);
	await clock.advance(60 * minute_ms);
	await sender.stop();
	const told = seen.slice(2).map((one) => `${dataOf(one)["approval"]} ${typeOf(one)}`);
	assert.deepEqual(told.toSorted(), ["appr_1 approval.pending", "appr_2 approval.denied"]);
});

test("what has to be agreed to anew is another question, and is asked under another id", async (t) => {
	const { sender, seen, ended } = await setUp(t);
	const pending = sampleApproval();
	sender.changed(pending);
	sender.changed({ ...pending, state: "approved" });
	sender.changed({
		...pending,
		demand: { ...pending.demand, count: 2, also_among: [["acme/eve"]] },
	});
	await ended(3);
	assert.equal(new Set(seen.map(({ headers }) => headers["webhook-id"])).size, 3);
	const last = seen.find((one) => dataOf(one)["needed"] === 2) as SeenRequest;
	assert.equal(typeOf(last), "approval.pending");
	assert.deepEqual(dataOf(last)["also_among"], [["acme/eve"]]);
});

test("after a restart, what still waits is told again under the same id", async (t) => {
	const { sender, make, seen, ended } = await setUp(t);
	sender.changed(sampleApproval());
	await ended(1);
	await sender.stop();
	make().changed(sampleApproval());
	await ended(2);
	const [first, second] = seen as [SeenRequest, SeenRequest];
	assert.equal(second.headers["webhook-id"], first.headers["webhook-id"]);
	assert.deepEqual(second.body, first.body);
});

test("a receiver that hangs holds up nobody else, and is given so many at once", async (t) => {
	const hung: ServerResponse[] = [];
	const { sender, seen, ended, tried } = await setUp(t, {
		answer: (request, response) =>
			request.url === "/slow" ? hung.push(response) : taken(request, response),
		hooks: [{ name: "slow" }, {}],
	});
	for (let at = 0; at < 20; at += 1) sender.changed(sampleApproval({ id: `appr_${at}` }));
	await ended(20);
	assert.ok(tried.every((one) => one === "chat told"));
	await until(() => hung.length === sent_at_once_max);
	for (let at = 0; at < 20; at += 1) {
		await until(() => hung.length > at);
		hung[at]?.writeHead(200).end();
	}
	await ended(40);
	assert.equal(seen.length, 40);
});

test("a receiver that does not answer in time is tried again", async (t) => {
	const { sender, ended, clock, log, seen } = await setUp(t, { answer: () => undefined });
	sender.changed(sampleApproval());
	await until(() => seen.length === 1);
	await clock.advance(15_000);
	await ended(1);
	assert.equal(log.lines[0]?.fields["problem"], "it did not answer in time");
	await until(() => clock.pending === 1);
});

test("one that is down takes no room of the others, and has an end to its own", async (t) => {
	const { sender, ended, tried, log } = await setUp(t, {
		answer: (request, response) => (request.url === "/down" ? undefined : taken(request, response)),
		hooks: [{ name: "down", tenant: "acme" }, { tenant: "other" }],
	});
	for (let at = 0; at < held_max + sent_at_once_max + 1; at += 1) {
		sender.changed(sampleApproval({ id: `appr_${at}` }));
	}
	assert.deepEqual(tried, ["down lost"]);
	assert.deepEqual(log.messages("error"), ["too many messages of approvals wait to be sent"]);
	sender.changed(sampleApproval({ id: "appr_new", tenant: "other" }));
	await ended(2);
	assert.deepEqual(tried, ["down lost", "chat told"]);
});

test("what rests takes room, too", async (t) => {
	const { sender, ended, tried, clock } = await setUp(t, { answer: refused });
	sender.changed(sampleApproval());
	await ended(1);
	await until(() => clock.pending === 1);
	for (let at = 0; at < held_max + sent_at_once_max; at += 1) {
		sender.changed(sampleApproval({ id: `appr_${at}_` }));
	}
	assert.deepEqual(tried, ["chat failed", "chat lost"]);
});

test("a receiver that is no longer configured hears nothing", async (t) => {
	const { sender, ended, clock, setHooks, setAnswer, seen } = await setUp(t, { answer: refused });
	sender.changed(sampleApproval());
	await ended(1);
	setHooks([]);
	setAnswer(taken);
	await until(() => clock.next_due_ms === 1000);
	await clock.advance(60 * minute_ms);
	await sender.stop();
	assert.equal(seen.length, 1);
});

test("a redirect is not followed: arguments go to nobody who is not configured", async (t) => {
	const { sender, ended, seen, log } = await setUp(t, {
		answer: (_, response) => response.writeHead(307, { location: "/elsewhere" }).end(),
	});
	sender.changed(sampleApproval());
	await ended(1);
	assert.equal(log.lines[0]?.fields["problem"], "it answered with HTTP status 307");
	assert.equal(seen.length, 1);
});

test("what is on its way is given up with the gateway, and nothing is begun any more", async (t) => {
	const { sender, seen, clock, tried } = await setUp(t, { answer: () => undefined });
	sender.changed(sampleApproval());
	await until(() => seen.length === 1);
	await sender.stop();
	sender.changed(sampleApproval({ id: "appr_2" }));
	assert.deepEqual([seen.length, tried.length, clock.pending], [1, 0, 0]);
});
