import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { hastyClock, patient_ms } from "../../../test/support/hasty-clock.ts";
import { lineOf, makeSpawner, startHosted, trySpawn } from "../../../test/support/hosted-child.ts";
import { markedProcesses } from "../../../test/support/processes.ts";
import { runHosted, sandboxed, sandboxObstacle } from "../../../test/support/sandboxed.ts";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { systemClock } from "../../lib/clock.ts";
import { probeSandbox } from "./probe.ts";

const root = await mkdtemp(join(tmpdir(), "moorage-sandboxed-"));
after(() => rm(root, { recursive: true }));
const stubborn = fileURLToPath(new URL("../../../test/servers/stubborn.mjs", import.meta.url));

let folders = 0;
function folder(): string {
	folders += 1;
	const path = join(root, String(folders));
	mkdirSync(path);
	return path;
}

describe("a sandbox", { skip: await sandboxObstacle() }, () => {
	test("gives the server's own exit codes and signals, and its streams", async () => {
		await using spawner = await makeSpawner();
		for (const code of [0, 1, 255]) {
			const ended = await runHosted(spawner, {
				args: ["-e", `console.log("out"); console.error("err"); process.exit(${code})`],
				confinement: sandboxed(folder()),
			});
			assert.deepEqual(ended, { code, signal: null, stdout: "out\n", stderr: "err\n", notes: [] });
		}
		const args = ["-e", 'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)'];
		const ended = await runHosted(spawner, { args, confinement: sandboxed(folder()) });
		assert.deepEqual([ended.code, ended.signal], [null, "SIGTERM"]);
	});

	test("is found to work wherever the gateway's own PATH leads to", async () => {
		const environment = { PATH: folder() };
		const probe = await probeSandbox({ clock: systemClock, environment, folder: folder() });
		assert.ok(probe.bubblewrap !== undefined, probe.detail);
	});

	test("is told of where there is a lesser one in its place, or none", async () => {
		await using best = await makeSpawner();
		assert.equal(best.sandbox_shortfall, undefined);
		await using none = await makeSpawner({ sandbox: "none" });
		assert.match(none.sandbox_shortfall ?? "", /^Servers run without a sandbox: .*switched off/u);
		if ((await sandboxObstacle("landlock")) !== false) return;
		await using lesser = await makeSpawner({ sandbox: "landlock" });
		assert.match(
			lesser.sandbox_shortfall ?? "",
			/^Servers run under Landlock instead of bubblewrap/u,
		);
	});

	test("lets a server end itself when it is asked to", async () => {
		await using spawner = await makeSpawner({ clock: hastyClock(1) });
		const script =
			'process.on("SIGTERM", () => process.exit(7)); setInterval(() => {}, 1000);' +
			'console.error("up")';
		const child = await startHosted(spawner, {
			args: ["-e", script],
			confinement: sandboxed(folder()),
		});
		await lineOf(child, "up");
		await child.stop(patient_ms);
		assert.deepEqual(await child.exited, { code: 7, signal: null });
	});

	test("is not the first process, nor that one's child", async () => {
		await using spawner = await makeSpawner();
		const args = ["-e", "console.log(process.pid > 1 && process.ppid > 1)"];
		const ended = await runHosted(spawner, { args, confinement: sandboxed(folder()) });
		assert.equal(ended.stdout, "true\n");
	});

	test("ends with everything in it when its outermost process is killed", async () => {
		await using spawner = await makeSpawner();
		const child = await startHosted(spawner, {
			args: [stubborn],
			confinement: sandboxed(folder()),
		});
		await lineOf(child, "stubborn: all up");
		assert(markedProcesses(spawner.marker_prefix).length >= 3);
		child.kill();
		assert.deepEqual(await child.exited, { code: null, signal: "SIGKILL" });
		await child.stop(0);
		assert.deepEqual(markedProcesses(spawner.marker_prefix), []);
	});

	test("has the server's volume as its home, and nothing of the user's environment", async () => {
		const environment = {
			PATH: process.env["PATH"],
			HOME: "/home/ada",
			USER: "ada",
			XDG_CONFIG_HOME: "/home/ada/.config",
			https_proxy: "http://127.0.0.1:3128",
		};
		await using spawner = await makeSpawner({ environment });
		const confinement = sandboxed(folder());
		const args = ["-e", "console.log(JSON.stringify(process.env))"];
		const ended = await runHosted(spawner, { args, env: { MINE: "yes" }, confinement });
		const { HOME, USER, XDG_CONFIG_HOME, https_proxy, MINE, TMPDIR, MOORAGE_VOLUME } = JSON.parse(
			ended.stdout,
		) as Record<string, string>;
		assert.deepEqual([HOME, MOORAGE_VOLUME], [confinement.volume, confinement.volume]);
		assert.deepEqual([TMPDIR, MINE], [confinement.temp, "yes"]);
		assert.deepEqual([USER, XDG_CONFIG_HOME, https_proxy], [undefined, undefined, undefined]);
	});

	test("shows the working folder to be read, without the configuration and the data", async () => {
		const project = folder();
		writeFileSync(join(project, "server.mjs"), 'import "./part.mjs";');
		writeFileSync(
			join(project, "part.mjs"),
			`import fs from "node:fs";
			const tell = (work) => { try { return work(); } catch (error) { return error.code; } };
			console.log(JSON.stringify([
				tell(() => fs.readFileSync("moorage.yaml", "utf8")),
				tell(() => fs.readdirSync(".moorage").join()),
				tell(() => fs.writeFileSync("part.mjs", "")),
				process.cwd(),
			]));`,
		);
		writeFileSync(join(project, "moorage.yaml"), "secret");
		const data_dir = join(project, ".moorage");
		mkdirSync(data_dir);
		writeFileSync(join(data_dir, "moorage.db"), "secret");
		await using spawner = await makeSpawner({
			data_dir,
			hidden: [join(project, "moorage.yaml"), join(project, ".env")],
		});
		const ended = await runHosted(spawner, {
			args: ["server.mjs"],
			cwd: project,
			confinement: sandboxed(join(data_dir, "volumes")),
		});
		assert.equal(ended.stderr, "");
		assert.deepEqual(JSON.parse(ended.stdout), ["EACCES", "volumes", "EROFS", project]);
	});

	test("has the folders that the configuration names, and says which are missing", async () => {
		const place = folder();
		for (const name of ["read", "write"]) mkdirSync(join(place, name));
		writeFileSync(join(place, "read", "file"), "text");
		await using spawner = await makeSpawner();
		const ended = await runHosted(spawner, {
			command: "sh",
			args: ["-c", `cat ${place}/read/file; echo new >${place}/write/file; echo >${place}/read/no`],
			confinement: sandboxed(folder(), {
				read: [join(place, "read"), join(place, "missing")],
				write: [join(place, "write")],
			}),
		});
		assert.equal(ended.stdout, "text");
		assert.match(ended.stderr, /Read-only file system/u);
		assert.equal(readFileSync(join(place, "write", "file"), "utf8"), "new\n");
		assert.equal(existsSync(join(place, "read", "no")), false);
		assert.deepEqual(ended.notes, [
			`${join(place, "missing")} does not exist, so its sandbox does not have it.`,
		]);
	});

	test("has what the arguments of a client's server name, at its own path", async () => {
		const place = folder();
		mkdirSync(join(place, "notes"));
		symlinkSync(join(place, "notes"), join(place, "link"));
		await using spawner = await makeSpawner();
		const args = ["-c", 'echo new >"$1/file"', "sh", join(place, "link"), "/etc"];
		const confinement = sandboxed(folder(), { bind_arguments: true });
		const ended = await runHosted(spawner, { command: "sh", args, confinement });
		assert.equal(ended.stderr, "");
		assert.equal(readFileSync(join(place, "notes", "file"), "utf8"), "new\n");
		assert.deepEqual(ended.notes, [
			`It can write ${join(place, "link")} (named in its arguments). ` +
				"/etc is not given to it: it belongs to the machine.",
		]);
		const closed = await runHosted(spawner, {
			command: "sh",
			args,
			confinement: sandboxed(folder()),
		});
		assert.notEqual(closed.code, 0);
		assert.deepEqual(closed.notes, []);
	});

	test("has the settings that programs need, and can change none of them", async () => {
		await using spawner = await makeSpawner();
		const script = [
			"const fs = require('node:fs');",
			"const { userInfo } = require('node:os');",
			"const tryTo = (what) => { try { what(); return 'done'; } catch (e) { return e.code; } };",
			"console.log(JSON.stringify([",
			"  fs.readFileSync('/etc/hosts', 'utf8'), userInfo().username,",
			"  tryTo(() => fs.writeFileSync('/etc/hosts', '')),",
			"  tryTo(() => fs.writeFileSync('/etc/new', '')),",
			"  tryTo(() => fs.unlinkSync('/etc/passwd')),",
			"  tryTo(() => fs.renameSync('/etc/hosts', '/etc/passwd')),",
			"  fs.existsSync('/etc/machine-id')]))",
		].join("\n");
		const hosts = readFileSync("/etc/hosts", "utf8");
		// A setting that is named is given too, though nothing can be put into what is read-only.
		const named = existsSync("/etc/machine-id") ? ["/etc/machine-id"] : [];
		for (const read of [[], named]) {
			const ended = await runHosted(spawner, {
				args: ["-e", script],
				confinement: sandboxed(folder(), { read }),
			});
			assert.equal(ended.code, 0, ended.stderr);
			const [text, user, ...rest] = JSON.parse(ended.stdout);
			const sees_named = rest.pop();
			assert.deepEqual([text, user, sees_named], [hosts, "server", read.length > 0]);
			for (const outcome of rest) assert.match(outcome, /^(?:EROFS|EBUSY)$/u);
		}
	});

	test("lets programs in that stand in front, with their files and variables", async () => {
		const place = folder();
		writeFileSync(join(place, "front"), '#!/bin/sh\ncat /run/moorage/word; exec "$@"\n', {
			mode: 0o755,
		});
		writeFileSync(join(place, "word"), "way ");
		await using spawner = await makeSpawner();
		const way = {
			binds: [
				{ from: join(place, "front"), to: "/run/moorage/front" },
				{ from: join(place, "word"), to: "/run/moorage/word" },
			],
			prefix: ["/run/moorage/front"],
			env: { HTTP_PROXY: "http://127.0.0.1:3128", MINE: "no" },
		};
		const ended = await runHosted(spawner, {
			command: "sh",
			args: ["-c", 'echo "$HTTP_PROXY $MINE"'],
			env: { MINE: "yes" },
			confinement: sandboxed(folder(), {}, { way }),
		});
		assert.equal(ended.stdout, "way http://127.0.0.1:3128 yes\n");
	});

	test("runs Python with its certificates, and git", async () => {
		await using spawner = await makeSpawner();
		const script =
			"import ssl, sqlite3, subprocess, threading; print(ssl.create_default_context())";
		const python = await trySpawn(spawner, {
			command: "python3",
			args: ["-c", script],
			confinement: sandboxed(folder()),
		});
		if (python.ok) {
			assert.deepEqual(await python.value.exited, { code: 0, signal: null });
		}
		const confinement = sandboxed(folder());
		const args = ["-c", "git init -q repository && git -C repository status"];
		const git = await runHosted(spawner, {
			command: "sh",
			args: ["-c", `cd "$HOME" && ${args[1]}`],
			confinement,
		});
		assert.equal(git.code, 0, git.stderr);
	});
});

describe("a machine without a sandbox", () => {
	/** No bwrap here: nothing is on PATH but what a shell needs. */
	const environment = { PATH: "/nowhere" };

	test("is told what to do, and that a gateway that runs does not notice", {
		skip: process.platform !== "linux" && "sandboxes exist on Linux only",
	}, async (t) => {
		const place = await tempFolder(t, { bwrap: "#!/bin/sh\nexit 1\n" });
		await chmod(join(place, "bwrap"), 0o755);
		const options = { clock: systemClock, environment: { PATH: place }, folder: folder() };
		const { bubblewrap, remedy } = await probeSandbox(options);
		assert.equal(bubblewrap, undefined);
		assert.match(remedy ?? "", /^Allow user namespaces to bwrap, then start Moorage again: /u);
	});

	test("runs a server that wants one, and says what is missing and what still holds", async (t) => {
		await using spawner = await makeSpawner({ environment, sandbox: "none" });
		const confinement = sandboxed(folder(), { mode: "on" });
		const ended = await runHosted(spawner, { args: ["-e", "0"], confinement });
		assert.equal(ended.code, 0);
		assert.match(
			ended.notes[0] ?? "",
			/runs without a sandbox: .*\. It still has its own process/u,
		);
		t.diagnostic(ended.notes[0] ?? "");
	});

	test("refuses a server that must have one, and one that is not trusted", async () => {
		await using spawner = await makeSpawner({ environment, sandbox: "none" });
		for (const confinement of [
			sandboxed(folder()),
			sandboxed(folder(), { mode: "on" }, { untrusted: true }),
			sandboxed(folder(), { mode: "off" }, { untrusted: true }),
		]) {
			const refused = await trySpawn(spawner, { confinement });
			assert(!refused.ok);
			assert.equal(refused.problem.code, "isolation_missing");
			assert.match(refused.problem.message, /cannot sandbox the server/u);
		}
	});

	test("says nothing of it where none is wanted", async () => {
		await using spawner = await makeSpawner({ environment, sandbox: "none" });
		const confinement = sandboxed(folder(), { mode: "off" });
		const ended = await runHosted(spawner, { args: ["-e", "0"], confinement });
		assert.deepEqual(ended.notes, []);
	});
});
