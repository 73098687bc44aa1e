import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { parse } from "yaml";
import type {
	DraftedSettings,
	ServerAccess,
	ServerSecrets,
	ServerSettings,
} from "../../src/admin/contracts/server-page.ts";
import { readAdminToken } from "../../src/admin/token.ts";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";

const clerk_key = newApiKey(systemRandom);
const reader_key = newApiKey(systemRandom);
const value = "s3cr3t-value-nobody-sees";

describe("one server, seen from near over the admin API", () => {
	let gateway: TestGateway;
	let token: string;

	before(async () => {
		const keys = [
			{ name: "clerk", hash: `sha256:${hashApiKey(clerk_key)}`, roles: ["clerk"] },
			{ name: "reader", hash: `sha256:${hashApiKey(reader_key)}`, scopes: ["read"] },
		];
		const environment = { PATH: process.env["PATH"], LANGUAGE: "de" };
		gateway = await startGateway(
			{
				servers: {
					ledger: {
						...stdioFixture("ledger"),
						env: { TOKEN: "${secret:ledger_token}", LANGUAGE: "${env:LANGUAGE}" },
						tools: { deny: ["delete_*"], note: { scopes: ["pay"] } },
						scope: "shared",
						start: "eager",
					},
				},
				identity: { keys },
				policy: [
					{
						name: "clerks pay",
						tool: "ledger__note",
						when: "'clerk' in principal.roles",
						else: "deny",
					},
					{
						name: "small refunds",
						tool: "ledger__refund",
						when: "args.amount <= 100",
						else: "deny",
					},
				],
			},
			{ environment },
		);
		const read = await readAdminToken(gateway.daemon.plan.data);
		assert.ok(read.ok);
		token = read.value;
	});
	after(() => gateway?.stop());

	const ask = async (method: string, path: string, body?: object, more: object = {}) => {
		const response = await fetch(`${gateway.url}/api/servers/${path}`, {
			method,
			headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...more },
			...(body !== undefined && { body: JSON.stringify(body) }),
		});
		const text = await response.text();
		return { status: response.status, text, value: JSON.parse(text) as never };
	};

	test("it says which values are there and which are missing, and shows none", async () => {
		const missing: ServerSecrets = (await ask("GET", "ledger/secrets")).value;
		const said = missing.values.map(({ kind, name, present, places }) => [
			kind,
			name,
			present,
			places.join(),
		]);
		assert.deepEqual(said, [
			["secret", "ledger_token", "no", "env TOKEN"],
			["env", "LANGUAGE", "yes", "env LANGUAGE"],
		]);
		const set = await ask("PUT", "../secrets/ledger_token", { value });
		assert.equal(set.status, 200);
		const { value: report, text } = await ask("GET", "ledger/secrets");
		const [first] = (report as ServerSecrets).values;
		assert.equal(first?.present, "yes");
		assert.equal(first?.values.length, 1);
		assert.ok(!text.includes(value));
		assert.equal((await ask("GET", "nobody/secrets")).status, 404);
	});

	test("it says who may call a tool, and what it cannot know", async () => {
		const answersOf = async (tool: string) => {
			const { callers = [] }: ServerAccess = (await ask("GET", `ledger/access?tool=${tool}`)).value;

			return Object.fromEntries(callers.map(({ name, answer }) => [name, answer]));
		};
		// A key whose scopes do not reach does not get further than that.
		assert.deepEqual(await answersOf("note"), {
			"Somebody without a role": "no",
			clerk: "yes",
			reader: "no",
		});
		assert.deepEqual(await answersOf("refund"), {
			"Somebody without a role": "depends",
			clerk: "depends",
			reader: "depends",
		});
		// What it offers is known once it runs, which it can since its secret is there.
		await ask("POST", "ledger/restart");
		assert.equal((await ask("GET", "ledger/tools")).status, 200);
		const report: ServerAccess = (await ask("GET", "ledger/access")).value;
		assert.equal(report.callers, undefined);
		assert.ok(report.notes.some((one) => one.includes("arguments")));
		const gone = report.tools.find(({ tool }) => tool === "delete_entry");
		assert.equal(gone?.offered, false);
		const note = report.tools.find(({ tool }) => tool === "note");
		assert.deepEqual(
			note?.rules.map(({ name }) => name),
			["clerks pay"],
		);
		assert.deepEqual(note?.scopes, ["pay"]);
	});

	test("an entry is drafted into the file that is there now, and applied as it was shown", async () => {
		const settings: ServerSettings = (await ask("GET", "ledger/settings")).value;
		const entry = { ...settings.entry, timeouts: { call: "7s" } };
		// Somebody else changes another part of the file meanwhile.
		const config = parse(await readFile(gateway.config_path, "utf8")) as object;
		await writeFile(gateway.config_path, JSON.stringify({ ...config, limits: { sessions: 500 } }));
		const drafted = await ask("POST", "ledger/settings/draft", { entry, etag: settings.etag });
		assert.equal(drafted.status, 200, drafted.text);
		const { text, etag, changes } = drafted.value as DraftedSettings;
		assert.deepEqual(
			changes.changed.map(({ server }) => server),
			["ledger"],
		);
		assert.match(text, /"sessions":500/);
		assert.ok(
			!(await readFile(gateway.config_path, "utf8")).includes("7s"),
			"a draft writes nothing",
		);
		const applied = await ask("PUT", "../config", { text }, { "if-match": etag });
		assert.equal(applied.status, 200, applied.text);
		assert.equal(await readFile(gateway.config_path, "utf8"), text);
	});

	test("two people who change the same entry are told", async () => {
		const { entry, etag }: ServerSettings = (await ask("GET", "ledger/settings")).value;
		const config = parse(await readFile(gateway.config_path, "utf8")) as {
			servers: { ledger: object };
		};
		const ledger = { ...config.servers.ledger, concurrency: 3 };
		await writeFile(gateway.config_path, JSON.stringify({ ...config, servers: { ledger } }));
		const drafted = await ask("POST", "ledger/settings/draft", { entry, etag });
		assert.equal(drafted.status, 412, drafted.text);
		assert.match(drafted.text, /edited_meanwhile/);
	});

	test("a mistake in an entry names the field, and the file stays as it is", async () => {
		const { entry, etag }: ServerSettings = (await ask("GET", "ledger/settings")).value;
		const before_text = await readFile(gateway.config_path, "utf8");
		const wrong = { ...entry, limits: { memory: "a lot" } };
		const drafted = await ask("POST", "ledger/settings/draft", { entry: wrong, etag });
		assert.equal(drafted.status, 422, drafted.text);
		const { config } = drafted.value as { config: { field?: string }[] };
		assert.deepEqual(
			config.map(({ field }) => field),
			["limits.memory"],
		);
		assert.equal(await readFile(gateway.config_path, "utf8"), before_text);
	});

	test("a version says how it is run otherwise than the one before", async () => {
		const { versions } = (await ask("GET", "ledger/versions")).value as {
			versions: { differences?: string[] }[];
		};
		assert.equal(versions[0]?.differences, undefined);
		assert.ok(versions.at(-1)?.differences?.some((one) => one.includes("timeouts.call_ms")));
	});
});
