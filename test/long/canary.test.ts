import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Operation, operations } from "../../src/admin/operations.ts";
import { type SinkName, sinks } from "../../src/telemetry/sinks.ts";
import { stdioFixture } from "../support/gateway.ts";
import { execCli, runCli } from "../support/run-cli.ts";
import { startUp } from "../support/up-process.ts";
import { ModernWire, openLegacy } from "../support/wire-clients.ts";

/** Secrets with everything that has a form of its own somewhere; each is planted in its own way. */
const canaries = {
	vault: "cnry-vault/a+b=c d\"e'f\\g-ü-71Kq",
	short: "zq9!Wx7",
	file: "cnry-file-9Xv2Lm04TpQsR8uY",
	environment: "cnry-env-Jk2Hg7Fd5Sa3Qw1E",
	key: `-----BEGIN PRIVATE KEY-----\n${"CnRyKeYLiNe0".repeat(5)}\n${"QwErTyUiOp12".repeat(5)}\n-----END PRIVATE KEY-----`,
} as const;

/** What a canary may look like where it is written down. */
function formsOf(value: string): string[] {
	const bytes = Buffer.from(value);
	const middle = (text: string) => text.slice(4, -4);
	return [
		value,
		JSON.stringify(value).slice(1, -1),
		JSON.stringify(JSON.stringify(value)).slice(3, -3),
		encodeURIComponent(value),
		new URLSearchParams({ v: value }).toString().slice(2),
		bytes.toString("hex"),
		bytes.toString("hex").toUpperCase(),
		// Its ends depend on what stands around it.
		...[0, 1, 2].flatMap((before) => {
			const text = Buffer.concat([Buffer.alloc(before, "x"), bytes]).toString("base64");
			return [middle(text), middle(text).replaceAll("+", "-").replaceAll("/", "_")];
		}),
	].filter((form) => form.length >= 6);
}

const wanted = Object.entries(canaries).flatMap(([name, value]) => {
	const lines = value.split("\n").filter((line) => !line.startsWith("-----"));
	return [value, ...(lines.length > 1 ? lines : [])].flatMap((text) =>
		formsOf(text).map((form) => ({ name, form: Buffer.from(form) })),
	);
});

/** Every canary that stands in these bytes, and in which form. */
function found(where: string, bytes: Buffer): string[] {
	return wanted
		.filter(({ form }) => bytes.includes(form))
		.map(({ name, form }) => `${name} as ${form.toString().slice(0, 60)} in ${where}`);
}

/** What stands in a folder, file by file, names included. */
async function filesIn(folder: string): Promise<[string, Buffer][]> {
	const entries = await readdir(folder, { recursive: true, withFileTypes: true });
	const files = entries.filter((entry) => entry.isFile());
	return Promise.all(
		files.map(async (entry): Promise<[string, Buffer]> => {
			const path = join(entry.parentPath, entry.name);
			return [path, Buffer.concat([Buffer.from(path), await readFile(path)])];
		}),
	);
}

test("planted secrets are in clear text in no sink, and nowhere in the data folder", async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "moorage-canary-"));
	t.after(() => rm(folder, { recursive: true, force: true }));
	const data = join(folder, "data");
	await writeFile(join(folder, "canary-file"), `${canaries.file}\n`);
	const env = {
		SECRETS: "VAULT_TOKEN,SHORT_TOKEN,FILE_TOKEN,ENV_TOKEN,SIGNING_KEY",
		VAULT_TOKEN: "${secret:vault}",
		SHORT_TOKEN: "${secret:short}",
		FILE_TOKEN: `\${file:${join(folder, "canary-file")}}`,
		ENV_TOKEN: "${env:CANARY_TOKEN}",
		SIGNING_KEY: "${secret:key}",
	};
	const config = {
		version: 1,
		listen: "127.0.0.1:0",
		data,
		secrets: { redact_results: "on" },
		servers: {
			leaky: { ...stdioFixture("secretive"), env },
			broken: { command: "/no/such/program", env, start: "on-demand" },
			remote: {
				url: "http://127.0.0.1:9/mcp?key=${secret:short}",
				headers: { Authorization: "Bearer ${secret:vault}" },
				start: "on-demand",
			},
		},
	};
	await writeFile(join(folder, "moorage.yaml"), JSON.stringify(config));
	const printed: Buffer[] = [];
	const cli = async (...words: string[]) => {
		const outcome = await runCli(words, {
			cwd: folder,
			environment: { CANARY_TOKEN: canaries.environment },
		});
		printed.push(Buffer.from(`${words.join(" ")}\n${outcome.stdout}\n${outcome.stderr}`));
		return outcome;
	};
	for (const name of ["vault", "short", "key"] as const) {
		const world = { cwd: folder, environment: { CANARY_TOKEN: canaries.environment } };
		const stored = await runCli(["secret", "set", name], { ...world, input: canaries[name] });
		assert.equal(stored.code, 0, stored.stderr);
	}

	const environment = { CANARY_TOKEN: canaries.environment };
	const up = startUp(t, ["--json", "--log-level", "debug"], { cwd: folder, environment });
	const { url, admin_token_path } = await up.ready();
	const token = (await readFile(admin_token_path, "utf8")).trim();
	const replies: Buffer[] = [];
	const modern = new ModernWire(new URL("/leaky/mcp", url));
	const legacy = await openLegacy(new URL("/leaky/mcp", url));
	for (const wire of [modern, legacy]) {
		for (const tool of ["leak", "fail", "refuse", "crash", "leak"]) {
			replies.push(Buffer.from(JSON.stringify(await wire.call(tool))));
		}
		replies.push(Buffer.from(JSON.stringify(await wire.call("hold", '{"name":"VAULT_TOKEN"}'))));
		// What a caller sends may be a secret as well; it is in the audit.
		const argument = JSON.stringify({ name: "SHORT_TOKEN", note: canaries.vault });
		replies.push(Buffer.from(JSON.stringify(await wire.call("hold", argument))));
	}
	for (const server of ["broken", "remote"]) {
		const wire = new ModernWire(new URL(`/${server}/mcp`, url));
		replies.push(Buffer.from(JSON.stringify(await wire.ask({ method: "tools/list" }))));
	}
	const rotated = await runCli(["secret", "rotate", "vault"], {
		cwd: folder,
		input: `${canaries.vault}!`,
	});
	assert.equal(rotated.code, 0, rotated.stderr);
	await modern.call("leak");

	const answers: Buffer[] = [];
	const reads = Object.values<Operation>(operations).filter(
		({ method, path }) =>
			method === "GET" && path !== "/api/events" && path !== "/api/openapi.json",
	);
	for (const { path } of reads) {
		const address = new URL(path.replace("{name}", "leaky").replace("{id}", "none"), url);
		const answer = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
		answers.push(Buffer.from(await answer.arrayBuffer()));
	}
	for (const path of ["/metrics", "/readyz", "/healthz"]) {
		const answer = await fetch(new URL(path, url), {
			headers: { authorization: `Bearer ${token}` },
		});
		answers.push(Buffer.from(await answer.arrayBuffer()));
	}
	const lines = await cli("logs", "leaky", "--tail", "500");
	assert.match(lines.stdout, /leaking \[redacted\]/, "the server did leak");
	for (const words of [["status"], ["ls"], ["calls"], ["secret", "ls"], ["secret", "check"]]) {
		await cli(...words);
		await cli(...words, "--json");
	}
	const exported = await cli("export");
	const backup = join(folder, "backup");
	const backed_up = await execCli(["backup", backup], { cwd: folder });
	assert.equal(backed_up.code, 0, backed_up.stderr);
	await up.stop();

	const data_files = await filesIn(data);
	const under = (name: string) => data_files.filter(([path]) => path.includes(join(data, name)));
	const bytes = (files: readonly (readonly [string, Buffer])[]) => files.map(([, text]) => text);
	/** What came out of each sink. Whoever adds one says here how to look into it. */
	const outcome: Readonly<Record<SinkName, readonly Buffer[]>> = {
		log: [Buffer.from(up.stderr)],
		"server-lines": [Buffer.from(lines.stdout)],
		replies,
		admin: answers,
		store: bytes(data_files.filter(([path]) => path.includes("moorage.db"))),
		terminal: [...printed, Buffer.from(up.stdout)],
		exports: [Buffer.from(exported.stdout)],
		backup: bytes(await filesIn(backup)),
		audit: bytes(under("audit")),
		calls: bytes(under("calls")),
		telemetry: answers,
		alerts: answers,
	};
	for (const { name } of sinks) {
		assert.ok(outcome[name].length > 0, `nothing was looked at in the sink "${name}"`);
		const leaks = outcome[name].flatMap((text) => found(name, text));
		assert.deepEqual(leaks, [], `the sink "${name}" shows secrets`);
	}
	const leaks = data_files.flatMap(([path, text]) => found(path, text));
	assert.deepEqual(leaks, [], "the data folder shows secrets");
	// What looks for canaries finds them where they are known to be.
	assert.ok(found("", await readFile(join(folder, "canary-file"))).length > 0);
});
