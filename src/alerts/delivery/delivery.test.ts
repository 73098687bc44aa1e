import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { startLineProcess } from "../../../test/support/line-process.ts";
import { MemoryLog } from "../../../test/support/memory-log.ts";
import { eventually } from "../../../test/support/processes.ts";
import { openTestStore } from "../../../test/support/test-store.ts";
import type { ChannelPlan } from "../../config/alert-rules.ts";
import { systemClock } from "../../lib/clock.ts";
import { Outbox } from "../outbox.ts";
import { type Notice, titleOf } from "./notice.ts";
import { slackChannel } from "./slack.ts";
import { webhookChannel } from "./webhook.ts";

const notice: Notice = {
	id: "a1.firing.1",
	alert_id: "a1",
	news: "firing",
	rule: "unknown_tool",
	subject: "mcp",
	severity: "warning",
	summary: 'mcp: Once something was called that is not offered: "<!channel> & co".',
	value: 1,
	threshold: 1,
	since_ms: 0,
	at_ms: 1_000,
	next: "See it with: moorage alerts show a1",
};

interface Hook {
	readonly kind: string;
	readonly path: string;
	readonly refused: boolean;
	readonly headers: Record<string, string>;
	readonly body: string;
}

test("a webhook is signed as its receiver can check, and says what happened", async (t) => {
	const receiver = await startLineProcess("hook-receiver");
	t.after(() => receiver.stop());
	const plan = { url: `http://127.0.0.1:${receiver.port}/hook`, secret: "s3cret" };
	assert.equal(await webhookChannel(plan, systemClock)(notice), undefined);
	const { headers, body } = await receiver.find<Hook>(({ kind }) => kind === "hook");
	const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
	const expected = createHmac("sha256", "s3cret").update(signed).digest("base64");
	assert.equal(headers["webhook-signature"], `v1,${expected}`);
	assert.equal(headers["webhook-id"], notice.id);
	const sent = JSON.parse(body) as { type: string; data: Record<string, unknown> };
	assert.equal(sent.type, "alert.firing");
	assert.deepEqual([sent.data["rule"], sent.data["summary"]], [notice.rule, notice.summary]);
});

test("what callers wrote cannot mention a channel of Slack", async (t) => {
	const receiver = await startLineProcess("hook-receiver");
	t.after(() => receiver.stop());
	const url = `http://127.0.0.1:${receiver.port}/services/T/B/x`;
	assert.equal(await slackChannel({ url }, systemClock)(notice), undefined);
	const { body } = await receiver.find<Hook>(({ kind }) => kind === "hook");
	const { text } = JSON.parse(body) as { text: string };
	assert.match(text, /^\*\[FIRING\] warning unknown_tool mcp\*\n/);
	assert.match(text, /&lt;!channel&gt; &amp; co/);
});

test("names with line ends stay on one line of a mail's subject", () => {
	assert.equal(
		titleOf({ ...notice, subject: "x\r\nBcc: all@example.com" }),
		"[FIRING] warning unknown_tool x Bcc: all@example.com",
	);
});

test("why it did not work is told without the address, which may be a secret", async () => {
	const url = "http://127.0.0.1:1/s3cret";
	assert.equal(await slackChannel({ url }, systemClock)(notice), "ECONNREFUSED");
});

async function openOutbox(channels: readonly ChannelPlan[]) {
	const clock = new FakeClock();
	const store = await openTestStore(clock);
	const tried: boolean[] = [];
	const { alerts: repository } = store.repositories;
	const make = () =>
		new Outbox({
			clock: { ...systemClock, now: () => clock.now() },
			log: new MemoryLog(),
			repository,
			channels: () => channels,
			onTried: (_, worked) => tried.push(worked),
		});
	return { clock, store, repository, tried, make };
}

test("what a receiver refuses is tried again later, also by the next run of the gateway", async (t) => {
	const receiver = await startLineProcess("hook-receiver", "--refuse", "1");
	t.after(() => receiver.stop());
	const url = `http://127.0.0.1:${receiver.port}/`;
	const { clock, store, repository, tried, make } = await openOutbox([
		{ kind: "slack", id: "slack:1", url },
	]);
	t.after(() => store.database.close());
	const before = make();
	const now = { ...notice, at_ms: clock.now() };
	for (const delivery of before.deliveriesOf(now)) await repository.enqueue(delivery);
	for (const delivery of before.deliveriesOf(now)) await repository.enqueue(delivery);
	await before.pump();
	await before.pump();
	assert.deepEqual(tried, [false]);
	const [waiting] = await repository.deliveries("a1");
	assert.deepEqual(
		[waiting?.state, waiting?.attempts, waiting?.problem],
		["waiting", 1, "it answered with HTTP status 500"],
	);
	await clock.advance(5_000);
	const after = make();
	await after.pump();
	await after.pump();
	assert.deepEqual(tried, [false, true]);
	assert.equal((await repository.deliveries("a1"))[0]?.state, "delivered");
	assert.equal(receiver.lines.filter(({ kind }) => kind === "hook").length, 2);
});

test("a receiver that stays away is given up in the end, and one that is gone at once", async (t) => {
	const { clock, store, repository, tried, make } = await openOutbox([
		{ kind: "slack", id: "slack:1", url: "http://127.0.0.1:1/" },
	]);
	t.after(() => store.database.close());
	const outbox = make();
	const now = { ...notice, at_ms: clock.now() };
	for (const delivery of outbox.deliveriesOf(now)) {
		await repository.enqueue(delivery);
		await repository.enqueue({ ...delivery, id: "other", channel: "slack:gone" });
	}
	for (let tries = 0; tries < 20; tries++) {
		await outbox.pump();
		await clock.advance(24 * 3_600_000);
	}
	const kept = await repository.deliveries("a1");
	assert.deepEqual(
		kept.map(({ state }) => state),
		["given_up", "given_up"],
	);
	assert.equal(tried.length, 9);
});

test("a receiver that hangs holds up no other, also of what comes while it does", async (t) => {
	const [hanging, quick] = await Promise.all([
		startLineProcess("hook-receiver", "--hang"),
		startLineProcess("hook-receiver"),
	]);
	t.after(() => Promise.all([hanging.stop(), quick.stop()]));
	const { clock, store, repository, tried, make } = await openOutbox([
		{ kind: "slack", id: "slack:hanging", url: `http://127.0.0.1:${hanging.port}/` },
		{ kind: "slack", id: "slack:quick", url: `http://127.0.0.1:${quick.port}/` },
	]);
	t.after(() => store.database.close());
	const outbox = make();
	const pumps: Promise<void>[] = [];
	for (const alert_id of ["a1", "a2", "a3"]) {
		const parts = { ...notice, id: `${alert_id}.firing.1`, alert_id, at_ms: clock.now() };
		for (const delivery of outbox.deliveriesOf(parts)) await repository.enqueue(delivery);
		pumps.push(outbox.pump());
		await eventually(
			() => repository.deliveries(alert_id),
			(found) => found.some(({ state }) => state === "delivered"),
		);
	}
	assert.deepEqual(
		tried.filter((worked) => !worked),
		[],
	);
	await hanging.stop();
	await Promise.all(pumps);
	const states = await Promise.all(["a1", "a2", "a3"].map((id) => repository.deliveries(id)));
	const told = states.flat().filter(({ state }) => state === "delivered");
	assert.deepEqual(
		told.map(({ channel, attempts }) => [channel, attempts]),
		[1, 2, 3].map(() => ["slack:quick", 1]),
	);
});

test("what was put down by a clock that was ahead is told once it is set back", async (t) => {
	const receiver = await startLineProcess("hook-receiver");
	t.after(() => receiver.stop());
	const { clock, store, repository, make } = await openOutbox([
		{ kind: "slack", id: "slack:1", url: `http://127.0.0.1:${receiver.port}/` },
	]);
	t.after(() => store.database.close());
	const outbox = make();
	const year_ms = 365 * 24 * 3_600_000;
	const ahead = { ...notice, at_ms: clock.now() + year_ms };
	for (const delivery of outbox.deliveriesOf(ahead)) await repository.enqueue(delivery);
	await outbox.pump();
	assert.equal((await repository.deliveries("a1"))[0]?.state, "delivered");
});
