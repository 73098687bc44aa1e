import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import {
	Client as ClientV2,
	StreamableHTTPClientTransport as HttpV2,
} from "@modelcontextprotocol/client";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { exchange, parse } from "../support/raw-client.ts";
import { openWire, replyOf, type WireClient } from "../support/wire-clients.ts";

const ledger = stdioFixture("ledger");
const eras = ["legacy", "modern"] as const;

/** What Moorage says of a refused call: in a tool's error, or in an error of the protocol. */
function refusalIn(reply: Awaited<ReturnType<WireClient["call"]>>) {
	const result = reply.result as unknown as
		| { isError?: boolean; content?: { text: string }[]; _meta?: Record<string, { code: string }> }
		| undefined;
	assert.equal(result?.isError, true, JSON.stringify(reply));
	return {
		code: result?._meta?.["dev.moorage/error"]?.code,
		text: result?.content?.[0]?.text ?? "",
	};
}

async function listed(client: WireClient): Promise<string[]> {
	const { result } = await client.ask({ method: "tools/list" });
	const { tools } = result as unknown as { tools: { name: string }[] };
	return tools.map(({ name }) => name).toSorted();
}

async function doneOf(client: WireClient, tool: string): Promise<string> {
	const { result } = await client.call(tool, "{}");
	return (result as unknown as { content: { text: string }[] }).content[0]?.text ?? "";
}

test("rules decide calls by their arguments, and say which of them it was", async (t) => {
	const gateway = await startGateway({
		servers: { ledger },
		policy: [
			{ name: "small refunds", tool: "ledger__refund", when: "args.amount <= 100", else: "deny" },
			{ name: "nothing is deleted", risk: "destructive", tool: "delete_*", then: "deny" },
			{ tool: "*", when: "has(args.to) && args.to == 'eve'", then: "deny", message: "Not to Eve." },
		],
	});
	t.after(() => gateway.stop());
	for (const era of eras) {
		for (const [path, prefix] of [
			["mcp", "ledger__"],
			["ledger", ""],
		] as const) {
			const client = await openWire(era, gateway.address(path));
			const call = (tool: string, args: object) => client.call(prefix + tool, JSON.stringify(args));
			await t.test(`${era}, /${path}: lists leave out what no arguments could allow`, async () => {
				const names = await listed(client);
				assert.ok(names.includes(`${prefix}refund`));
				assert.ok(!names.includes(`${prefix}delete_entry`), names.join());
			});
			await t.test(`${era}, /${path}: the first rule that denies says so`, async () => {
				const large = refusalIn(await call("refund", { amount: 101 }));
				assert.equal(large.code, "policy_denied");
				assert.match(large.text, /The rule "small refunds" does not allow this call\./);
				const eve = refusalIn(await call("refund", { amount: 1, to: "eve" }));
				assert.match(eve.text, /Not to Eve\./);
				const hidden = refusalIn(await call("delete_entry", { id: "a" }));
				assert.match(hidden.text, /nothing is deleted/);
			});
			await t.test(`${era}, /${path}: what a rule needs and is not there denies`, async () => {
				const missing = refusalIn(await call("refund", {}));
				assert.match(missing.text, /cannot be decided.*No such key: amount/);
			});
		}
	}
	const client = await openWire("modern", gateway.address("ledger"));
	await client.call("refund", '{"amount":100}');
	assert.equal(await doneOf(client, "list_entries"), 'refund {"amount":100}');
});

test("arguments that do not fit the tool's schema never reach the server", async (t) => {
	const gateway = await startGateway({ servers: { ledger } });
	t.after(() => gateway.stop());
	for (const era of eras) {
		const client = await openWire(era, gateway.address("ledger"));
		await t.test(`${era}: the tool's error says what is wrong`, async () => {
			const wrong = refusalIn(await client.call("refund", '{"amount":"much","extra":1}'));
			assert.equal(wrong.code, "arguments_invalid");
			assert.match(wrong.text, /`amount`: type "number" .*|`amount`: .*number/);
			assert.match(wrong.text, /`extra` is not known/);
			assert.match(refusalIn(await client.call("refund", '{"amount":-1}')).text, /`amount`/);
			assert.match(refusalIn(await client.call("note", "{}")).text, /text/);
		});
	}
	const client = await openWire("modern", gateway.address("ledger"));
	assert.equal(await doneOf(client, "list_entries"), "");
	await gateway.reconfigure({ servers: { ledger: { ...ledger, arguments: "off" } } });
	await client.call("refund", '{"amount":"much"}');
	assert.match(await doneOf(client, "list_entries"), /much/);
});

test("limits hold calls back, and say for how long", async (t) => {
	const gateway = await startGateway({
		servers: { ledger },
		policy: [
			{ name: "refunds", tool: "refund", limit: { calls: "2/h", per: "user" } },
			{ name: "one at a time", tool: "hold", limit: { at_once: 1, per: [] } },
		],
	});
	t.after(() => gateway.stop());
	const client = await openWire("modern", gateway.address("ledger"));
	const request = { method: "tools/call", params: '{"name":"refund","arguments":{"amount":1}}' };
	assert.equal((await client.ask(request)).result?.isError, undefined);
	assert.equal((await client.ask(request)).result?.isError, undefined);
	const answer = await client.send(request);
	const refused = refusalIn(parse(replyOf(answer)));
	assert.equal(refused.code, "rate_limited");
	assert.match(refused.text, /2 in 1h for each user\. Try again in 1[78]\d\d s\./);
	const wait_s = Number(answer.headers["retry-after"]);
	assert.ok(wait_s > 1_790 && wait_s <= 1_800, String(wait_s));
	const hold = {
		method: "tools/call",
		params: '{"name":"hold","arguments":{}}',
		meta: '"progressToken":1',
	};
	const stream = await client.open(hold);
	const isProgress = ({ method }: { method?: string }) => method === "notifications/progress";
	await stream.until(isProgress);
	const second = refusalIn(await client.call("hold", "{}"));
	assert.match(second.text, /at most 1 at one time/);
	await client.call("unhold", "{}");
	await stream.reply();
	const again = await client.open(hold);
	await again.until(isProgress);
	await client.call("unhold", "{}");
	await again.reply();
});

test("a client that makes the same call again and again is told to stop", async (t) => {
	const gateway = await startGateway({
		servers: { ledger },
		policy: { loops: { calls: 3, within: "1h" } },
	});
	t.after(() => gateway.stop());
	const client = await openWire("modern", gateway.address("ledger"));
	for (let time = 0; time < 3; time++) await client.call("note", '{"text":"a"}');
	const refused = refusalIn(await client.call("note", '{"text":"a"}'));
	assert.equal(refused.code, "loop_detected");
	assert.match(refused.text, /made 3 times within 1h: it looks like a loop/);
	assert.equal((await client.call("note", '{"text":"b"}')).result?.isError, undefined);
});

const ana_key = newApiKey(systemRandom);
const bob_key = newApiKey(systemRandom);
const identity = {
	keys: [
		{ name: "ana", hash: `sha256:${hashApiKey(ana_key)}`, tenant: "acme", user: "ana" },
		{ name: "bob", hash: `sha256:${hashApiKey(bob_key)}`, tenant: "beta", user: "bob" },
	],
};

async function toolsOf(gateway: TestGateway, key: string, modern: boolean): Promise<string[]> {
	const options = modern ? { versionNegotiation: { mode: { pin: "2026-07-28" as const } } } : {};
	const client = new ClientV2(
		{ name: "policy-test", version: "1" },
		{ capabilities: {}, ...options },
	);
	const headers = { authorization: `Bearer ${key}` };
	await client.connect(new HttpV2(gateway.address(), { requestInit: { headers } }));
	const { tools } = await client.listTools();
	await client.close();
	return tools.map(({ name }) => name).toSorted();
}

test("two tenants see different tools on one address", async (t) => {
	const gateway = await startGateway({
		identity,
		servers: { ledger: { ...ledger, scope: "tenant" } },
		policy: {
			default: "deny",
			rules: [
				{ name: "readers", risk: "read", then: "allow" },
				{ name: "acme pays", tool: "refund", when: "principal.tenant == 'acme'", then: "allow" },
			],
		},
	});
	t.after(() => gateway.stop());
	for (const modern of [false, true]) {
		const readers = ["ledger__hold", "ledger__list_entries", "ledger__unhold"];
		assert.deepEqual(await toolsOf(gateway, bob_key, modern), readers);
		const all = [...readers, "ledger__refund"].toSorted();
		assert.deepEqual(await toolsOf(gateway, ana_key, modern), all);
	}
});

test("a rule that is wrong is refused with its place, and the old ones stay", async (t) => {
	const rules = [{ tool: "refund", then: "deny" }];
	const gateway = await startGateway({ servers: { ledger }, policy: rules });
	t.after(() => gateway.stop());
	const wrong = [...rules, { name: "broken", when: "principal.rolez == 1", then: "deny" }];
	const outcome = await gateway.reconfigure({ servers: { ledger }, policy: wrong });
	assert.ok(!outcome.ok);
	assert.match(outcome.problem[0]?.message ?? "", /`broken` is wrong: No such key: rolez/);
	assert.ok((outcome.problem[0]?.column ?? 0) > 1);
	const client = await openWire("modern", gateway.address("ledger"));
	assert.equal(refusalIn(await client.call("refund", '{"amount":1}')).code, "policy_denied");
	await gateway.reconfigure({ servers: { ledger } });
	assert.equal((await client.call("refund", '{"amount":1}')).result?.isError, undefined);
});

test("beyond loopback, tools of an unknown risk are not offered until somebody says so", async (t) => {
	const config = {
		identity,
		public_url: "https://mcp.example.com",
		trusted_proxies: ["127.0.0.1"],
		allowed_hosts: ["127.0.0.1", "mcp.example.com"],
		servers: { ledger: { ...ledger, tools: { refund: { risk: "costly" } } } },
	};
	const gateway = await startGateway(config);
	t.after(() => gateway.stop());
	const reads = ["ledger__hold", "ledger__list_entries", "ledger__unhold"];
	const given = [...reads, "ledger__refund"].toSorted();
	assert.deepEqual(await toolsOf(gateway, ana_key, true), given);
	const outcome = await gateway.reconfigure({ ...config, policy: { unclassified: "allow" } });
	assert.ok(outcome.ok);
	assert.equal((await toolsOf(gateway, ana_key, true)).length, 7);
});

test("arguments cannot be hidden from rules behind escaped or repeated names", async (t) => {
	const gateway = await startGateway({
		servers: { ledger },
		policy: [{ tool: "refund", when: "args.amount < 10", else: "deny" }],
	});
	t.after(() => gateway.stop());
	const client = await openWire("modern", gateway.address("ledger"));
	const hidden = String.raw`{"\u0061mount":500}`;
	assert.equal(refusalIn(await client.call("refund", hidden)).code, "policy_denied");
	const twice = {
		method: "tools/call",
		params: '{"name":"refund","arguments":{"amount":1,"amount":500}}',
	};
	const answer = await exchange(client.address, {
		body: client.compose({ ...twice, id: "9" }),
		headers: client.headers(twice),
	});
	const reply = parse(replyOf(answer));
	const is_refused = reply.error !== undefined || reply.result?.isError === true;
	assert.ok(is_refused, JSON.stringify(reply));
});

test("whoever may see the rules can ask what they say of a call", async (t) => {
	const gateway = await startGateway({
		servers: { ledger },
		policy: [
			{ name: "auditors", tool: "refund", when: "'auditor' in principal.roles", else: "deny" },
		],
	});
	t.after(() => gateway.stop());
	const token = (await readFile(gateway.daemon.admin_token_path, "utf8")).trim();
	const ask = async (path: string, body?: object) => {
		const response = await fetch(new URL(path, gateway.url), {
			method: body === undefined ? "GET" : "POST",
			headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
		return (await response.json()) as Record<string, unknown>;
	};
	const question = { server: "ledger", tool: "refund", arguments: { amount: 1 } };
	const principal = { tenant: "acme", user: "ana" };
	const denied = await ask("/api/policy/test", { ...question, principal });
	assert.deepEqual([denied["decision"], denied["rule"]], ["deny", "auditors"]);
	assert.equal(denied["listed"], false);
	assert.deepEqual([denied["risk"], denied["risk_from"]], ["costly", "name"]);
	const roles = ["auditor"];
	const allowed = await ask("/api/policy/test", {
		...question,
		principal: { ...principal, roles },
	});
	assert.equal(allowed["decision"], "allow");
	const wrong = { ...question, arguments: { amount: "much" }, principal: { roles } };
	assert.equal((await ask("/api/policy/test", wrong))["rule"], "arguments");
	const policy = await ask("/api/policy");
	assert.equal((policy["tools"] as object[]).length, 7);
	const { no_go, rows } = await ask("/api/checklist");
	assert.ok((no_go as number) > 0);
	const identity_row = (rows as { id: string; status: string }[]).find(
		({ id }) => id === "identity",
	);
	assert.equal(identity_row?.status, "no_go");
	const client = await openWire("modern", gateway.address("ledger"));
	assert.equal(await doneOf(client, "list_entries"), "", "no question was a call");
});

test("in the public profile a gateway with no-go signs does not start", async () => {
	await assert.rejects(startGateway({ servers: { ledger }, profile: "public" }), (error: Error) => {
		assert.match(error.message, /profile: public/);
		assert.match(error.message, /Add `identity`/);
		return true;
	});
});
