import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../../lib/clock.ts";
import { processEnvironment } from "../../lib/environment.ts";
import { probeContainment, watcherContainment } from "./containment.ts";
import { runOnce } from "./run-once.ts";

const environment = processEnvironment();
const probe = await probeContainment({ environment, clock: systemClock });
const skip = probe.obstacle === undefined ? false : `no pid namespaces here: ${probe.obstacle}`;

function run(program: string, args: string[]) {
	return runOnce(systemClock, {
		...probe.containment.wrap(program, args),
		env: { PATH: environment["PATH"] ?? "" },
		deadline_ms: 10_000,
	});
}

test("a namespace is entered, and the server's parent is not pid 1", { skip }, async () => {
	const outcome = await run("/bin/sh", ["-c", "echo $$ $PPID"]);
	const [pid, ppid] = outcome.stdout.trim().split(" ").map(Number);
	assert(pid !== undefined && ppid !== undefined);
	assert(pid <= 16 && ppid > 1, outcome.stdout);
});

test("arguments arrive as they are, whatever a shell would make of them", { skip }, async () => {
	const args = ["", " ", "$HOME", "`id`", "a'b\"c", "*", "-e", "; exit 1", "\n", "ä€"];
	const print = "process.stdout.write(JSON.stringify(process.argv.slice(1)))";
	const outcome = await run(process.execPath, ["-e", print, "--", ...args]);
	assert.deepEqual(JSON.parse(outcome.stdout), args);
});

test("the init says nothing of its own, even when the server is killed", { skip }, async () => {
	const outcome = await run("/bin/sh", ["-c", "kill -KILL $$"]);
	assert.deepEqual([outcome.code, outcome.stdout, outcome.stderr], [128 + 9, "", ""]);
});

test("no signal of the server's is ignored or blocked by the wrapper", { skip }, async () => {
	const outcome = await run("/bin/cat", ["/proc/self/status"]);
	assert.match(outcome.stdout, /^SigBlk:\s0+$/mu);
	assert.match(outcome.stdout, /^SigIgn:\s0+$/mu);
});

test("a program whose path looks like a variable is run all the same", { skip }, async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "moorage=probe-"));
	t.after(() => rm(folder, { recursive: true }));
	const program = join(folder, "program");
	await writeFile(program, '#!/bin/sh\necho "$0 $1"\n', { mode: 0o755 });
	const outcome = await run(program, ["x=y"]);
	assert.equal(outcome.stdout, `${program} x=y\n`);
});

test("where the tools are missing the watcher is chosen, with the reason", async (t) => {
	if (process.platform !== "linux") {
		t.skip("only Linux has the tools at all");
		return;
	}
	const folder = await mkdtemp(join(tmpdir(), "moorage-probe-"));
	t.after(() => rm(folder, { recursive: true }));
	for (const tool of ["setpriv", "unshare"]) {
		await writeFile(join(folder, tool), "#!/bin/sh\necho 'Operation not permitted' >&2\nexit 1\n");
		await chmod(join(folder, tool), 0o755);
	}
	const refused = await probeContainment({
		environment: { PATH: folder },
		clock: systemClock,
	});
	assert.equal(refused.containment.mode, "watcher");
	assert.equal(refused.obstacle, "Operation not permitted");
});

test("the watcher's containment leaves the command as it is", () => {
	const line = watcherContainment.wrap("/bin/cat", ["-n"]);
	assert.deepEqual(line, { program: "/bin/cat", args: ["-n"] });
});
