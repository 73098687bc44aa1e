import assert from "node:assert/strict";
import { chmod, chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../lib/clock.ts";
import { processEnvironment } from "../../lib/environment.ts";
import { findProgram } from "./find-program.ts";
import { runOnce } from "./run-once.ts";

const root = await mkdtemp(join(tmpdir(), "moorage-ordinary-"));
after(() => rm(root, { recursive: true }));

const host = fileURLToPath(new URL("../../../test/support/limited-host.ts", import.meta.url));
const { PATH } = processEnvironment();
const setpriv = await findProgram("setpriv", { path: PATH, cwd: "/" });
/** The user and group that own nothing. */
const nobody = "65534";

/** Runs Node as nobody, who has a temporary folder and nothing else. */
async function runAsNobody(args: readonly string[]) {
	const temp = join(root, "temp");
	await mkdir(temp, { recursive: true });
	await chmod(root, 0o755);
	await chown(temp, Number(nobody), Number(nobody));
	const ids = ["--reuid", nobody, "--regid", nobody, "--clear-groups"];
	return await runOnce(systemClock, {
		program: setpriv.ok ? setpriv.value : "setpriv",
		args: [...ids, process.execPath, ...args],
		env: { PATH: PATH ?? "", TMPDIR: temp, HOME: temp },
		cwd: "/",
		deadline_ms: 60_000,
	});
}

async function obstacle(): Promise<string | false> {
	if (process.platform !== "linux" || process.getuid?.() !== 0) {
		return "only root on Linux can try out what another user can do";
	}
	if (!setpriv.ok) {
		return "setpriv is not installed (package util-linux)";
	}
	const look = `require("node:fs").accessSync(${JSON.stringify(host)})`;
	const outcome = await runAsNobody(["-e", look]);
	return outcome.code === 0 ? false : "this checkout cannot be read by another user";
}

test("an ordinary user's gateway freezes by signals, and says what is only watched", {
	skip: await obstacle(),
}, async () => {
	const outcome = await runAsNobody([host]);
	assert.equal(outcome.code, 0, outcome.stderr);
	const told = JSON.parse(outcome.stdout) as Record<string, unknown>;
	assert.equal(told["frozen"], true);
	assert.equal(
		told["limits"],
		"signals stop and continue processes; memory watched once in a while; " +
			"processes watched once in a while; processor time cannot be limited",
	);
	const notes = told["notes"] as string[];
	assert.equal(notes.length, 3, notes.join("\n"));
	assert(
		notes.every((note) => /: no (group can be made in|control groups) .*\.$/u.test(note)),
		notes.join("\n"),
	);
});
