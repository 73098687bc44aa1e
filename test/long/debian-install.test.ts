import assert from "node:assert/strict";
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { buildProgram } from "../../tools/lib/build.ts";
import { packPackage } from "../../tools/lib/pack.ts";
import { stdioFixture } from "../support/gateway.ts";
import { eventually } from "../support/processes.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const script = join(root, "deploy", "debian", "install.sh");
const skip = process.platform === "linux" ? false : "the installer is for Debian";

describe("the installer for Debian", { skip }, () => {
	let folder: string;
	let place: string;
	let archive: string;

	before(async () => {
		folder = await mkdtemp(join(tmpdir(), "moorage-debian-"));
		place = join(folder, "root");
		await buildProgram(root);
		archive = await packPackage(root, folder);
		await run(script, ["--root", place, "--archive", archive, "--no-packages"]);
	});

	after(() => rm(folder, { recursive: true, force: true }));

	test("installs the program, a first configuration that others cannot read, and the units", async () => {
		const unit = await readFile(join(place, "etc/systemd/system/moorage.service"), "utf8");
		assert.match(
			unit,
			/^ExecStart=\/opt\/moorage\/node --max-semi-space-size=16 --min-semi-space-size=2 --no-parallel-scavenge --no-allocation-site-pretenuring --heap-growing-percent=200 --expose-gc \/opt\/moorage\//m,
		);
		const config = await stat(join(place, "etc/moorage/moorage.yaml"));
		assert.equal(config.mode & 0o777, 0o640);
		assert.equal((await stat(join(place, "var/lib/moorage"))).mode & 0o777, 0o700);
	});

	test("can be run again: what a person has written stays", async () => {
		const config = join(place, "etc/moorage/moorage.yaml");
		await writeFile(
			config,
			`version: 1\nservers: ${JSON.stringify({ echo: stdioFixture("echo") })}\n`,
		);
		const before_it = await readFile(config, "utf8");
		await run(script, ["--root", place, "--archive", archive, "--no-packages"]);
		assert.equal(await readFile(config, "utf8"), before_it);
	});

	test("the service's own command line starts a gateway", async () => {
		const unit = await readFile(join(place, "etc/systemd/system/moorage.service"), "utf8");
		const line = /^ExecStart=(.*)$/m.exec(unit)?.[1] ?? "";
		const [program = "", ...args] = line.split(" ").map((word) => {
			if (word === "/opt/moorage/node") return process.execPath;
			return /^\/(opt|etc|var)\//.test(word) ? join(place, word) : word;
		});
		const child = spawn(program, [...args, "--listen", "127.0.0.1:0", "--json"], {
			stdio: ["ignore", "pipe", "inherit"],
		});
		let printed = "";
		child.stdout.on("data", (chunk: Buffer) => {
			printed += chunk.toString();
		});
		await eventually(
			() => printed,
			(text) => text.includes("\n}\n") || child.exitCode !== null,
		);
		const { servers } = JSON.parse(printed) as { readonly servers: readonly { state: string }[] };
		assert.deepEqual(
			servers.map(({ state }) => state),
			["ready"],
		);
		child.kill("SIGTERM");
		assert.deepEqual(await once(child, "exit"), [0, null]);
	});

	test("says what it would do, and does nothing, in a rehearsal", async () => {
		const elsewhere = join(folder, "elsewhere");
		const { stdout } = await run(script, ["--root", elsewhere, "--dry-run", "--no-packages"]);
		assert.match(stdout, /npm install --prefix .*elsewhere\/opt\/moorage/);
		await assert.rejects(stat(elsewhere), { code: "ENOENT" });
	});

	test("refuses what it does not know, and what is not there", () => {
		const wrong = spawnSync(script, ["--whatever"], { encoding: "utf8" });
		assert.notEqual(wrong.status, 0);
		assert.match(wrong.stderr, /there is no option --whatever/);
		const missing = spawnSync(script, ["--root", folder, "--archive", "/nowhere.tgz"], {
			encoding: "utf8",
		});
		assert.match(missing.stderr, /there is no archive/);
	});
});
