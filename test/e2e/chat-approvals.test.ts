import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { webhookHeaders } from "../../src/lib/webhook-signature.ts";
import { startLineProcess } from "../support/line-process.ts";
import { type MoorageProcess, startMoorage } from "../support/moorage-process.ts";
import { eventually } from "../support/processes.ts";
import { runCli } from "../support/run-cli.ts";
import { ModernWire } from "../support/wire-clients.ts";

/*
 * The example of a chat, as it stands: its configuration, its relay, and chats that are processes
 * of their own and speak as the documentation of each says.
 */

const run = promisify(execFile);
const examples = fileURLToPath(new URL("../../examples", import.meta.url));
const secret = "whsec_dGhlIGV4YW1wbGUgb2YgYSBjaGF0IGtlZXBzIGl0";

/** What the relay is told of each chat, from what the chat itself has. */
const chats = {
	slack: {
		environment: (url: string, { token, signing_secret }: Secrets) => ({
			SLACK_API: url,
			SLACK_TOKEN: token,
			SLACK_SIGNING_SECRET: signing_secret,
			SLACK_CHANNEL: "C123ABC456",
		}),
		users: { ana: "U02DEPDS1", bo: "U061F7AUR", other: "U999" },
		buttons: { approve: "Approve", deny: "Deny" },
	},
	discord: {
		environment: (url: string, { token, public_key }: Secrets) => ({
			DISCORD_API: url,
			DISCORD_TOKEN: token,
			DISCORD_PUBLIC_KEY: public_key,
			DISCORD_CHANNEL: "290926798999357250",
		}),
		users: { ana: "80351110224678913", bo: "80351110224678912", other: "9" },
		buttons: { approve: "Approve", deny: "Deny" },
	},
	teams: {
		environment: (url: string, { security_token }: Secrets) => ({
			TEAMS_WORKFLOW_URL: `${url}/workflow`,
			TEAMS_SECURITY_TOKEN: security_token,
		}),
		users: {
			ana: "1bc29b36-f623-ba82-aaf6-724fd3b16719",
			bo: "1bc29b36-f623-ba82-aaf6-724fd3b16718",
			other: "00000000-0000-0000-0000-000000000000",
		},
		buttons: { approve: "approve", deny: "deny" },
	},
} as const;

type Secrets = Record<string, string>;

interface Entry {
	readonly id: string;
	readonly text: string;
	readonly buttons: readonly object[];
	/** Who alone was told. */
	readonly only?: string;
}

let folder: string;
let moorage: MoorageProcess;
let key: string;

const cli = async (...words: string[]) => {
	const done = await runCli([...words, "--data", join(folder, "data")], { cwd: folder });
	assert.equal(done.code, 0, done.stderr);
	return done.stdout;
};

before(async () => {
	folder = await mkdtemp(join(tmpdir(), "moorage-chat-"));
	for (const name of ["chat", "team"]) {
		const filter = (path: string) => !/\.moorage|\.(key|token)$/.test(path);
		await cp(join(examples, name), join(folder, name), { recursive: true, filter });
	}
	const environment = { ...process.env, HOOK_SECRET: secret };
	const config = join(folder, "chat", "moorage.yaml");
	moorage = await startMoorage(config, join(folder, "data"), environment);
	await cli("user", "add", "crew/ana", "--passwordless");
	key = (await cli("key", "add", "ana-laptop", "--tenant", "crew", "--user", "ana")).trim();
});

after(async () => {
	await moorage?.stop();
	await rm(folder, { recursive: true, force: true });
});

/** A chat and its relay, with the gateway's webhook leading there. */
async function startChat(t: TestContext, name: keyof typeof chats) {
	const service = await startLineProcess("chat-service", name);
	t.after(() => service.stop());
	const { environment, users } = chats[name];
	const url = `http://127.0.0.1:${service.port}`;
	const relay = await startRelay(t, name, environment(url, service.lines[0] as Secrets));
	const config = join(folder, "chat", "moorage.yaml");
	const text = await readFile(config, "utf8");
	await writeFile(config, text.replace(/http:\S+\/moorage$/m, `${relay}/moorage`));
	await cli("reload");
	const say = async (path: string, body: object) => {
		const answer = await fetch(url + path, { method: "POST", body: JSON.stringify(body) });
		assert.equal(answer.status, 200, await answer.clone().text());
		return (await answer.json()) as { status: number };
	};
	return {
		relay,
		service,
		/** A click of somebody on the last message that can be clicked. */
		click: (user: keyof typeof users, button: string, more = {}) =>
			say("/click", { at: relay, user: users[user], button, ...more }),
		/** What the channel shows once a message fits. */
		channel: (wanted: (entry: Entry) => boolean) =>
			eventually(
				async () => ((await (await fetch(`${url}/channel`)).json()) as Entry[]).findLast(wanted),
				(found) => found !== undefined,
			) as Promise<Entry>,
		send: (user: keyof typeof users, words: string) =>
			say("/send", { at: relay, user: users[user], text: words }),
	};
}

/** The relay of the example; its address. */
async function startRelay(t: TestContext, name: string, environment: object): Promise<string> {
	const child: ChildProcess = spawn(process.execPath, ["relay.mjs", name], {
		cwd: join(folder, "chat"),
		env: {
			...environment,
			HOOK_SECRET: secret,
			MOORAGE_URL: moorage.report.url,
			PORT: "0",
			PATH: process.env["PATH"],
		},
		stdio: ["ignore", "pipe", "inherit"],
	});
	const exited = once(child, "exit");
	t.after(async () => {
		child.kill();
		await exited;
	});
	assert.ok(child.stdout);
	const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
	const [, address] = /^Listening at (\S+)\/moorage$/.exec(line) ?? [];
	assert.ok(address !== undefined, line);
	return address;
}

/** Ana pays; the text of what became of it. */
async function pay(args: object): Promise<string> {
	const wire = new ModernWire(moorage.address());
	const { result } = await wire.ask({
		method: "tools/call",
		params: JSON.stringify({ name: "books__pay", arguments: args }),
		headers: { authorization: `Bearer ${key}` },
	});
	return result?.content?.[0]?.text ?? "";
}

const waits = ({ buttons, text }: Entry) => buttons.length > 0 && text.includes("books: pay");

for (const name of ["slack", "discord", "teams"] as const) {
	test(`${name}: a person sees what would run, agrees, and it runs; others may not`, async (t) => {
		const { approve } = chats[name].buttons;
		const { click, channel, service } = await startChat(t, name);
		const paying = pay({ to: "sailmaker", amount: 400 });
		const asked = await channel(waits);
		assert.match(asked.text, /books: pay \(costly\)/);
		assert.match(asked.text, /asked for by crew\/ana, with wire-client/);
		assert.match(asked.text, /because of large-payments/);
		assert.ok(asked.text.includes('{"to":"sailmaker","amount":400}'), asked.text);

		// Who is not from the chat, or from another day, clicks nothing.
		assert.equal((await click("bo", approve, { forged: true, secret: "another" })).status, 401);
		assert.equal((await click("bo", approve, { ago_s: 301 })).status, 401);
		await click("other", approve);
		await channel(({ text }) => text.includes("You may not decide here."));
		await click("ana", approve);
		await channel(({ text }) => text.includes("Somebody else than the caller has to decide"));

		assert.equal((await click("bo", approve)).status, 200);
		assert.match(await paying, /^paid 400 to sailmaker, /);
		await channel(({ text }) => text.includes("crew/bo agreed. The call is approved."));
		const told = await channel(({ text }) => text.includes(": approved by crew/bo"));
		assert.match(told.text, /books: pay, appr_[\w-]+: approved by crew\/bo/);
		assert.deepEqual(
			service.lines.filter(({ kind }) => kind === "wrong"),
			[],
		);
	});

	test(`${name}: a refusal reaches the caller`, async (t) => {
		const { click, channel } = await startChat(t, name);
		const paying = pay({ to: "chandler", amount: 401 });
		await channel(waits);
		await click("bo", chats[name].buttons.deny);
		assert.match(await paying, /not approved/);
		await channel(({ text }) => text.includes(": denied by crew/bo"));
	});

	test(`${name}: what hides is shown, and what cannot be shown is for the page`, async (t) => {
		const { click, channel } = await startChat(t, name);
		const to = "sail\u202emaker\u200b ``` *bold* <!channel> @everyone";
		const paying = pay({ to, amount: 402 });
		const { text } = await channel(waits);
		assert.ok(text.includes('{"to":"sail\\u202emaker\\u200b \\u0060\\u0060\\u0060 *bold*'), text);
		await click("bo", chats[name].buttons.deny);
		await paying;
		const long = pay({ to: "x".repeat(5_000), amount: 403 });
		const asked = await channel(({ text }) => text.includes("The arguments are on the page."));
		assert.equal(asked.buttons.length, 1);
		const [, page = ""] = /"(http[^"]*\/approvals\/appr_[\w-]+)"/.exec(
			JSON.stringify(asked.buttons),
		) ?? [undefined, undefined];
		assert.equal((await fetch(page)).status, 401);
		await cli("deny", page.split("/").at(-1) ?? "");
		await long;
	});
}

test("the commands of the README are those that a person needs", async (t) => {
	const readme = await readFile(join(folder, "chat", "README.md"), "utf8");
	const blocks = [...readme.matchAll(/```sh\n([^]*?)```/g)].map(([, block = ""]) => block);
	const paying = `MOORAGE_KEY=$(cat ana.key) node ../team/client.mjs books__pay '{"to":"sailmaker","amount":400}'`;
	// All but the last are what `before` and `startRelay` do.
	assert.deepEqual(
		blocks.flatMap((block) => block.trim().split("\n")),
		[
			"export HOOK_SECRET=$(openssl rand -base64 32)",
			"moorage up moorage.yaml",
			"umask 077",
			"moorage user add crew/ana --passwordless",
			"moorage key add ana-laptop --tenant crew --user ana > ana.key",
			"node relay.mjs slack",
			paying,
		],
	);
	const { click, channel } = await startChat(t, "slack");
	await writeFile(join(folder, "chat", "ana.key"), `${key}\n`);
	const path = [dirname(process.execPath), process.env["PATH"]].join(delimiter);
	const running = run("sh", ["-c", paying], {
		cwd: join(folder, "chat"),
		env: { PATH: path, MOORAGE_URL: moorage.report.url },
	});
	await channel(waits);
	await click("bo", "Approve");
	assert.match((await running).stdout, /^paid 400 to sailmaker, -?\d+ left\n$/);
});

test("teams: a reason may stand behind the line, and other lines are answered with what to send", async (t) => {
	const { channel, send } = await startChat(t, "teams");
	const paying = pay({ to: "rigger", amount: 404 });
	const { text } = await channel(waits);
	await send("bo", "@Moorage hello");
	await channel((entry) => entry.text.includes("Send a line as it stands"));
	const line = text.split("\n").find((one) => one.startsWith("@Moorage deny")) ?? "";
	await send("bo", `${line} Not on a Friday.`);
	assert.match(await paying, /Not on a Friday\./);
});

/** Posts news to a relay as the gateway does. */
async function postNews(
	relay: string,
	approval: string,
	signed_with = secret,
	now_ms = Date.now(),
) {
	const data = { approval, server: "books", tool: "pay", votes: [] };
	const body = JSON.stringify({ type: "approval.expired", data });
	const headers = webhookHeaders(signed_with, `${approval}.expired`, now_ms, body);
	return (await fetch(`${relay}/moorage`, { method: "POST", headers, body })).status;
}

test("the relay takes news of its gateway alone, of now, and each once", async (t) => {
	const { relay, channel, service } = await startChat(t, "slack");
	assert.equal(await postNews(relay, "appr_1", "another secret"), 401);
	assert.equal(await postNews(relay, "appr_1", secret, Date.now() - 301_000), 401);
	assert.equal((await fetch(`${relay}/moorage`, { method: "POST", body: "{}" })).status, 401);
	assert.equal(await postNews(relay, "appr_1"), 204);
	assert.equal(await postNews(relay, "appr_1"), 204);
	assert.equal(await postNews(relay, "appr_2"), 204);
	await channel(({ text }) => text.includes("appr_2: expired"));
	assert.equal(service.lines.filter(({ kind }) => kind === "posted").length, 2);
	assert.equal((await fetch(`${relay}/moorage`)).status, 404);
	assert.equal((await fetch(`${relay}/other`, { method: "POST" })).status, 404);
});

test("what the chat does not take, the relay does not take either, so that it comes again", async (t) => {
	const chat = await startLineProcess("chat-service", "slack");
	t.after(() => chat.stop());
	const { token: SLACK_TOKEN, ...rest } = chat.lines[0] as Secrets;
	const url = `http://127.0.0.1:${chat.port}`;
	const environment = chats.slack.environment(url, { ...rest, token: `${SLACK_TOKEN}x` });
	const relay = await startRelay(t, "slack", environment);
	assert.equal(await postNews(relay, "appr_3"), 502);
	assert.equal(await postNews(relay, "appr_3"), 502);
});
