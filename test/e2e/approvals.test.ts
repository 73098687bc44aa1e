import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { adminDone, adminRequest } from "../support/admin-request.ts";
import { connectV1, sdk_clients } from "../support/clients.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { eventually } from "../support/processes.ts";
import { signInAt } from "../support/sign-in.ts";
import { ModernWire } from "../support/wire-clients.ts";

interface ApprovalView {
	readonly id: string;
	readonly state: string;
	readonly arguments: Record<string, unknown>;
	readonly arguments_hash: string;
}

const rule = { approval: { approvers: ["role:approver", "role:admin", "local"], edit: true } };
const servers = { slow: { ...stdioFixture("slow"), tools: { wait: rule } } };
const approvals = { wait: "300ms", expires: "1h" };

/** Calls are answered as pending soon. */
let gateway: TestGateway;
/** Calls wait longer than a busy machine takes to ask somebody and to hear the answer. */
let patient: TestGateway;

before(async () => {
	gateway = await startGateway({ servers, approvals });
	patient = await startGateway({ servers, approvals: { ...approvals, wait: "45s" } });
});

after(() => Promise.all([gateway.stop(), patient.stop()]));

/** The one approval that waits. */
async function pending(at: TestGateway = gateway): Promise<ApprovalView> {
	const find = async () => {
		const path = "/api/approvals?state=pending";
		return (await adminDone<{ approvals: ApprovalView[] }>(at, "GET", path)).approvals;
	};
	const [found] = await eventually(find, (all) => all.length > 0);
	return found as ApprovalView;
}

const decide = (id: string, body: object, at: TestGateway = gateway) =>
	adminDone<ApprovalView>(at, "POST", `/api/approvals/${id}/decision`, body);

interface ToolResult {
	readonly isError?: boolean;
	readonly content: { text: string }[];
	readonly _meta?: Record<string, { code: string }>;
}

const textOf = (result: unknown) => (result as ToolResult).content[0]?.text ?? "";
const codeOf = (result: unknown) => (result as ToolResult)._meta?.["dev.moorage/error"]?.code;

/** The part of both SDKs' clients that answers questions; their types have nothing in common. */
interface Answering {
	setRequestHandler(key: unknown, handler: (request: { params: never }) => unknown): void;
}

let next_ms = 1;

for (const [name, connect] of Object.entries(sdk_clients)) {
	/** Arguments that no other test has. */
	const call = () => {
		next_ms += 1;
		return { name: "slow__wait", arguments: { ms: next_ms } };
	};
	const onQuestion = (
		client: unknown,
		handler: (params: { mode?: string; url?: string; message: string }) => Promise<object>,
	) => {
		const key = connect === connectV1 ? ElicitRequestSchema : "elicitation/create";
		(client as Answering).setRequestHandler(key, ({ params }) => handler(params));
	};

	test(`${name}: a call that cannot ask is pending, and made again it runs, once`, async () => {
		const client = await connect(gateway.address(), {});
		const wanted = call();
		const first = await client.callTool(wanted);
		assert.equal(codeOf(first), "approval_pending");
		const { id, arguments: args } = await pending();
		assert.deepEqual(args, wanted.arguments);
		assert.ok(textOf(first).includes(id), textOf(first));
		assert.equal((await decide(id, { verdict: "approve" })).state, "approved");
		const second = await client.callTool(wanted);
		assert.equal(textOf(second), `waited ${wanted.arguments.ms} ms`);
		const done = await adminDone<ApprovalView>(gateway, "GET", `/api/approvals/${id}`);
		assert.equal(done.state, "done");
		const third = await client.callTool(wanted);
		assert.equal(codeOf(third), "approval_pending");
		const again = await pending();
		assert.notEqual(again.id, id);
		const scrape = await (await fetch(`${gateway.url}/metrics`)).text();
		assert.match(scrape, /^moorage_approvals\{state="pending"} 1$/m);
		assert.match(scrape, /^moorage_approvals_decided_total\{server="slow",outcome="approved"} /m);
		await decide(again.id, { verdict: "deny", reason: "Once is enough." });
		await client.close();
	});

	test(`${name}: a call that waits runs as soon as somebody agrees, with what they agreed to`, async () => {
		const client = await connect(patient.address(), {});
		const wanted = call();
		const calling = client.callTool(wanted);
		const { id, arguments_hash } = await pending(patient);
		const body = { verdict: "approve", arguments: { ms: 0 }, arguments_hash };
		await decide(id, body, patient);
		assert.equal(textOf(await calling), "waited 0 ms");
		const late = await adminRequest(patient, "POST", `/api/approvals/${id}/decision`, body);
		assert.equal(late.status, 409);
		await client.close();
	});

	test(`${name}: a refusal reaches the caller with its reason`, async () => {
		const client = await connect(patient.address(), {});
		const calling = client.callTool(call());
		const { id } = await pending(patient);
		await decide(id, { verdict: "deny", reason: "Not today." }, patient);
		const result = await calling;
		assert.equal(codeOf(result), "approval_denied");
		assert.match(textOf(result), /Not today\./);
		await client.close();
	});

	test(`${name}: whoever may decide is asked with a form`, async () => {
		const client = await connect(patient.address(), { elicitation: { form: {} } });
		let seen = "";
		onQuestion(client, async ({ message }) => {
			seen = message;
			return { action: "accept", content: { approve: true } };
		});
		const wanted = call();
		assert.equal(textOf(await client.callTool(wanted)), `waited ${wanted.arguments.ms} ms`);
		assert.ok(seen.includes(`{"ms":${wanted.arguments.ms}}`), seen);
		onQuestion(client, async () => ({ action: "accept", content: { approve: false } }));
		assert.equal(codeOf(await client.callTool(call())), "approval_denied");
		await client.close();
	});

	test(`${name}: a client that can show pages is sent to the approval's page`, async () => {
		const client = await connect(patient.address(), { elicitation: { url: {}, form: {} } });
		onQuestion(client, async ({ mode, url }) => {
			assert.equal(mode, "url");
			const { id } = await pending(patient);
			assert.equal(url, `${patient.url}/approvals/${id}`);
			await decide(id, { verdict: "approve" }, patient);
			return { action: "accept" };
		});
		const wanted = call();
		assert.equal(textOf(await client.callTool(wanted)), `waited ${wanted.arguments.ms} ms`);
		await client.close();
	});
}

test("an off switch ends a call that waits, and what was agreed to does not get past one", async () => {
	const client = await sdk_clients["SDK 1.x"](gateway.address(), {});
	const wanted = { name: "slow__wait", arguments: { ms: 900 } };
	await client.callTool(wanted);
	const { id } = await pending();
	await decide(id, { verdict: "approve" });
	const off = { kind: "tool", name: "slow__wait", reason: "Broken." };
	const killed = await adminDone<{ id: string }>(gateway, "POST", "/api/kill-switches", off);
	assert.equal(codeOf(await client.callTool(wanted)), "switched_off");
	await adminDone(gateway, "DELETE", `/api/kill-switches/${killed.id}`);
	assert.equal(textOf(await client.callTool(wanted)), "waited 900 ms");
	await client.close();
});

test("with identity, somebody else of the tenant decides, and others know nothing of it", async (t) => {
	const people = {
		ana: newApiKey(systemRandom),
		bob: newApiKey(systemRandom),
		eve: newApiKey(systemRandom),
	};
	const key = (user: "ana" | "bob" | "eve", tenant: string) => ({
		name: user,
		hash: `sha256:${hashApiKey(people[user])}`,
		tenant,
		user,
		roles: ["approver"],
	});
	const two = await startGateway({
		identity: { keys: [key("ana", "acme"), key("bob", "acme"), key("eve", "other")] },
		servers: {
			slow: { ...stdioFixture("slow"), tools: { wait: { approval: { other_than_caller: true } } } },
		},
		approvals,
	});
	t.after(() => two.stop());
	const path = "/api/servers/slow/tools/wait/call";
	assert.equal((await adminRequest(two, "POST", path, { ms: 1 })).status, 403);
	const first = await fetch(two.address(), {
		method: "POST",
		headers: {
			authorization: `Bearer ${people.ana}`,
			"content-type": "application/json",
			accept: "application/json, text/event-stream",
		},
		body: JSON.stringify({
			jsonrpc: "2.0",
			id: 1,
			method: "tools/call",
			params: { name: "slow__wait", arguments: { ms: 2 } },
		}),
	});
	assert.match(await first.text(), /approval_pending/);
	const listed = async (who: string) =>
		(
			await adminDone<{ approvals: (ApprovalView & { principal: string })[] }>(
				two,
				"GET",
				"/api/approvals?state=pending",
				undefined,
				who,
			)
		).approvals.filter(({ principal }) => principal === "acme/ana");
	assert.equal((await listed(people.eve)).length, 0);
	const [own] = await listed(people.ana);
	assert.ok(own !== undefined);
	const decision = `/api/approvals/${own.id}/decision`;
	const yes = { verdict: "approve" };
	assert.equal((await adminRequest(two, "POST", decision, yes, people.ana)).status, 403);
	assert.equal((await adminRequest(two, "POST", decision, yes, people.eve)).status, 404);
	assert.equal((await adminRequest(two, "POST", decision, yes, people.bob)).status, 200);
});

test("what `approvals` says holds for `approval: required`, from the next reload on", async (t) => {
	const own = newApiKey(systemRandom);
	const key = { name: "ana", hash: `sha256:${hashApiKey(own)}`, tenant: "acme", user: "ana" };
	const config = (section: object) => ({
		identity: { keys: [{ ...key, roles: ["approver"] }] },
		servers: { slow: { ...stdioFixture("slow"), tools: { wait: { approval: "required" } } } },
		approvals: { ...approvals, ...section },
	});
	const one = await startGateway(config({}));
	t.after(() => one.stop());
	const wire = new ModernWire(one.address("slow"));
	const headers = { authorization: `Bearer ${own}` };
	const params = '{"name":"wait","arguments":{"ms":3}}';
	const called = async () => (await wire.ask({ method: "tools/call", params, headers })).result;
	const decision = (id: string) => `/api/approvals/${id}/decision`;
	assert.equal(codeOf(await called()), "approval_pending");
	const { id } = await pending(one);
	const yes = { verdict: "approve" };
	assert.equal((await adminRequest(one, "POST", decision(id), yes, own)).status, 200);
	// It is approved, but not by those who have to agree from now on.
	assert.ok((await one.reconfigure(config({ other_than_caller: true }))).ok);
	assert.equal(codeOf(await called()), "approval_pending");
	assert.equal((await adminRequest(one, "POST", decision(id), yes, own)).status, 403);
	assert.equal((await adminRequest(one, "POST", decision(id), yes)).status, 200);
	assert.equal(textOf(await called()), "waited 3 ms");
});

test("on its page a person signs in, sees exactly what would run, and decides", async () => {
	const client = await sdk_clients["SDK 1.x"](gateway.address(), {});
	const wanted = { name: "slow__wait", arguments: { ms: 777, note: "for\u202egnp" } };
	await client.callTool(wanted);
	const { id, arguments_hash } = await pending();
	const url = `${gateway.url}/approvals/${id}`;
	const form = (fields: Record<string, string>, cookie = "", site = "same-origin") =>
		fetch(url, {
			method: "POST",
			redirect: "manual",
			headers: { cookie, "sec-fetch-site": site },
			body: new URLSearchParams(fields),
		});
	const stranger = await fetch(url);
	assert.equal(stranger.status, 401);
	assert.match(stranger.headers.get("content-security-policy") ?? "", /default-src 'none'/);
	assert.doesNotMatch(await stranger.text(), /777/);
	const to = `/approvals/${id}`;
	assert.equal((await signInAt(gateway.url, { credential: "guess" }, { to })).status, 401);
	const credential = (await readFile(gateway.daemon.admin_token_path, "utf8")).trim();
	const { status, location, cookie } = await signInAt(gateway.url, { credential }, { to });
	assert.deepEqual([status, location], [303, to]);
	const page = await (await fetch(url, { headers: { cookie } })).text();
	const shown = "{&quot;ms&quot;:777,&quot;note&quot;:&quot;for\\u202egnp&quot;}";
	assert.ok(page.includes(`<pre>${shown}</pre>`), page);
	assert.ok(page.includes(`name="before" value="${shown}"`), "what may be edited is the same");
	const csrf = /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? "";
	const yes = { verdict: "approve", arguments_hash, csrf };
	assert.equal((await form({ ...yes, csrf: "x" }, cookie)).status, 403);
	assert.equal((await form(yes, cookie, "cross-site")).status, 400);
	assert.equal((await form(yes)).status, 401);
	assert.equal((await form({ ...yes, arguments_hash: "other" }, cookie)).status, 409);
	assert.equal((await form(yes, cookie)).status, 303);
	assert.equal((await form(yes, cookie)).status, 409);
	assert.equal(textOf(await client.callTool(wanted)), "waited 777 ms");
	const unknown = await fetch(`${gateway.url}/approvals/appr_none`, { headers: { cookie } });
	assert.equal(unknown.status, 404);
	await client.close();
});
