import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { repository_root } from "../../tools/lib/paths.ts";
import { adminDone } from "../support/admin-request.ts";
import { sdk_clients } from "../support/clients.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { type LineProcess, startLineProcess } from "../support/line-process.ts";
import { runCli } from "../support/run-cli.ts";
import { signInAt } from "../support/sign-in.ts";
import { tempFolder } from "../support/temp-folder.ts";

const secret = "whsec_c2VjcmV0cyBhcmUgbm90IHN0b3JlZA==";
const key = Buffer.from(secret.slice("whsec_".length), "base64");

/** What the receiver writes down of each request. */
interface Hook {
	readonly kind: string;
	readonly path: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
}

/** What a message says. */
interface Message {
	readonly type: string;
	readonly data: {
		readonly approval: string;
		readonly arguments_json: string;
		readonly arguments_hash: string;
		readonly links: {
			readonly page: string;
			readonly dashboard: string;
			readonly decision: string;
		};
	};
}

let receiver: LineProcess;
let gateway: TestGateway;

function configOf({ port }: LineProcess) {
	return {
		servers: {
			slow: { ...stdioFixture("slow"), tools: { wait: { approval: "required", risk: "costly" } } },
		},
		approvals: {
			wait: "30s",
			webhooks: [
				{
					name: "chat",
					url: `http://127.0.0.1:${port}/moorage`,
					// biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the configuration
					secret: "${env:HOOK_SECRET}",
					decides: true,
				},
			],
		},
	};
}

const environment = { ...process.env, HOOK_SECRET: secret };

before(async () => {
	receiver = await startLineProcess("hook-receiver");
	gateway = await startGateway(configOf(receiver), { environment });
});

after(async () => {
	await gateway?.stop();
	await receiver?.stop();
});

/** The first message of a type about arguments, whose signature is right. */
async function messageOf(type: string, args: string, from = receiver): Promise<Message> {
	const of = ({ body }: Hook) => JSON.parse(body) as Message;
	const hook = await from.find<Hook>((line) => {
		if (line.kind !== "hook") return false;
		const { type: told, data } = of(line);
		return told === type && data.arguments_json === args;
	});
	const { "webhook-id": id, "webhook-timestamp": timestamp } = hook.headers;
	const mac = createHmac("sha256", key).update(`${id}.${timestamp}.${hook.body}`);
	assert.equal(hook.headers["webhook-signature"], `v1,${mac.digest("base64")}`);
	return of(hook);
}

let posted = 0;

/** Posts what a relay would, signed; with fields other than those of an agreement. */
async function decide({ data }: Message, fields: object = {}, signed_with = key) {
	posted += 1;
	const { approval, arguments_hash, links } = data;
	const type = "approval.decision";
	const body = JSON.stringify({ type, approval, arguments_hash, verdict: "approve", ...fields });
	const timestamp = String(Math.floor(Date.now() / 1000));
	const mac = createHmac("sha256", signed_with).update(`d${posted}.${timestamp}.${body}`);
	const headers = {
		"content-type": "application/json",
		"webhook-id": `d${posted}`,
		"webhook-timestamp": timestamp,
		"webhook-signature": `v1,${mac.digest("base64")}`,
	};
	const send = async () => {
		const answer = await fetch(links.decision, { method: "POST", headers, body });
		return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
	};
	return { send, ...(await send()) };
}

const call = async (ms: number, at = gateway) => {
	const client = await sdk_clients["SDK 1.x"](at.address(), {});
	const calling = client.callTool({ name: "slow__wait", arguments: { ms } });
	return {
		async text() {
			const { content } = (await calling) as { content: { text: string }[] };
			await client.close();
			return content[0]?.text ?? "";
		},
	};
};

test("a relay hears of a call that waits, and its signed decision lets the call run", async () => {
	const calling = await call(11);
	const message = await messageOf("approval.pending", '{"ms":11}');
	const { approval, links } = message.data;
	assert.deepEqual(links, {
		page: `${gateway.url}/approvals/${approval}`,
		dashboard: `${gateway.url}/#/approvals/${approval}`,
		decision: `${gateway.url}/approvals/webhooks/chat`,
	});
	const forged = await decide(message, {}, Buffer.from("another key"));
	assert.deepEqual([forged.status, forged.body["error"]], [401, "signature_wrong"]);
	const other = await decide(message, { arguments_hash: "other" });
	assert.deepEqual([other.status, other.body["error"]], [409, "arguments_changed"]);
	const taken = await decide(message, { person: "bob", reason: "Seen in the chat." });
	assert.deepEqual([taken.status, taken.body], [200, { approval, state: "approved" }]);
	const again = await taken.send();
	assert.deepEqual([again.status, again.body["error"]], [409, "used_already"]);
	assert.equal(await calling.text(), "waited 11 ms");
	await messageOf("approval.approved", '{"ms":11}');
	const shown = await adminDone<{ state: string; votes: object[] }>(
		gateway,
		"GET",
		`/api/approvals/${approval}`,
	);
	assert.equal(shown.state, "done");
	const told = await runCli(
		["approvals", "show", approval, "--data", join(gateway.folder, ".moorage")],
		{ cwd: gateway.folder },
	);
	assert.match(told.stdout, /approved +by webhook:chat for bob \(webhook\): Seen in the chat\./);
	assert.partialDeepStrictEqual(shown.votes, [
		{ approver: "webhook:chat", person: "bob", via: "webhook", reason: "Seen in the chat." },
	]);
});

test("a refusal from a relay reaches the caller with its reason", async () => {
	const calling = await call(12);
	const message = await messageOf("approval.pending", '{"ms":12}');
	const taken = await decide(message, { verdict: "deny", reason: "Not in the afternoon." });
	assert.deepEqual([taken.status, taken.body["state"]], [200, "denied"]);
	assert.match(await calling.text(), /Not in the afternoon\./);
	await messageOf("approval.denied", '{"ms":12}');
});

test("a link decides nothing, whoever opens it and whatever is added to it", async () => {
	const calling = await call(13);
	const message = await messageOf("approval.pending", '{"ms":13}');
	const { page, decision } = message.data.links;
	const token = (await readFile(gateway.daemon.admin_token_path, "utf8")).trim();
	const { cookie } = await signInAt(gateway.url, { credential: token });
	const { arguments_hash, approval } = message.data;
	const query = `?verdict=approve&arguments_hash=${arguments_hash}&approval=${approval}`;
	for (const method of ["GET", "HEAD"]) {
		// What a chat does to show a preview, and what a person does who is signed in.
		for (const headers of [{}, { cookie }, { authorization: `Bearer ${token}` }]) {
			const opened = await fetch(page + query, { method, headers });
			assert.ok([200, 401, 405].includes(opened.status), String(opened.status));
			assert.equal((await fetch(decision + query, { method, headers })).status, 405);
		}
	}
	const shown = await fetch(page, { headers: { cookie } });
	assert.equal(shown.status, 200, "the same link opens the page for whoever is signed in");
	assert.match(await shown.text(), /\{&quot;ms&quot;:13\}/);
	const state = await adminDone<{ state: string }>(gateway, "GET", `/api/approvals/${approval}`);
	assert.equal(state.state, "pending");
	assert.equal((await decide(message, { verdict: "deny" })).status, 200);
	await calling.text();
});

test("what is too long to be a decision is refused before it is read", async () => {
	const answer = await fetch(`${gateway.url}/approvals/webhooks/chat`, {
		method: "POST",
		body: "x".repeat(16 * 1024 + 1),
	});
	assert.deepEqual([answer.status, answer.headers.get("connection")], [413, "close"]);
});

test("messages are counted, and their secret is nowhere", async () => {
	const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
	assert.match(metrics, /moorage_approvals_messages_total\{webhook="chat",outcome="told"\} \d/);
	const files = await readdir(gateway.folder, { recursive: true, withFileTypes: true });
	const named = files.filter((file) => file.isFile());
	assert.ok(named.some(({ name }) => name.endsWith(".db")));
	for (const { parentPath, name } of named) {
		const bytes = await readFile(join(parentPath, name));
		assert.ok(!bytes.includes(secret) && !bytes.includes(key), name);
	}
});

test("what still waits after a restart is told again, with the address of now", async (t) => {
	let running: TestGateway | undefined;
	t.after(() => running?.stop());
	const folder = await tempFolder(t);
	const relay = await startLineProcess("hook-receiver");
	t.after(() => relay.stop());
	const config = configOf(relay);
	const hasty = { ...config, approvals: { ...config.approvals, wait: "10ms" } };
	const named = { ...hasty, public_url: "http://localhost:7777" };
	running = await startGateway(named, { environment, folder });
	const pending = await call(14, running);
	assert.match(await pending.text(), /appr_/);
	const message = await messageOf("approval.pending", '{"ms":14}', relay);
	const { approval, links } = message.data;
	assert.equal(links.page, `http://localhost:7777/approvals/${approval}`);
	assert.equal(links.decision, "http://localhost:7777/approvals/webhooks/chat");
	await running.stop();
	running = await startGateway(hasty, { environment, folder });
	const page = `${running.url}/approvals/${approval}`;
	const told = (line: Hook) => line.kind === "hook" && line.body.includes(page);
	const again = await relay.find<Hook>(told);
	const ids = (relay.lines as unknown as Hook[])
		.filter(({ kind }) => kind === "hook")
		.map(({ headers }) => headers["webhook-id"]);
	assert.equal(new Set(ids).size, 1);
	assert.equal((await decide(JSON.parse(again.body) as Message)).status, 200);
	const made_again = await call(14, running);
	assert.equal(await made_again.text(), "waited 14 ms");
});

test("the commands of the documentation hand a decision back", async (t) => {
	const page = await readFile(join(repository_root, "docs", "approval-webhooks.md"), "utf8");
	const [, commands = ""] = /```sh\n([^]*?)```/.exec(page) ?? [];
	const relay = await startLineProcess("hook-receiver");
	t.after(() => relay.stop());
	const plain = { HOOK_SECRET: "c2VjcmV0IG9mIHRoZSBwYWdlLCB0YWtlbiBhcyBpdCBpcw==" };
	const running = await startGateway(configOf(relay), {
		environment: { ...process.env, ...plain },
	});
	t.after(() => running.stop());
	const calling = await call(15, running);
	const hook = await relay.find<Hook>(({ kind }) => kind === "hook");
	const { data } = JSON.parse(hook.body) as Message;
	const { stdout } = await promisify(execFile)("sh", ["-c", commands.replace("acme/bo", "bo")], {
		env: {
			PATH: process.env["PATH"],
			...plain,
			APPROVAL: data.approval,
			ARGUMENTS_HASH: data.arguments_hash,
			DECISION: data.links.decision,
		},
	});
	assert.deepEqual(JSON.parse(stdout), { approval: data.approval, state: "approved" });
	assert.equal(await calling.text(), "waited 15 ms");
});
