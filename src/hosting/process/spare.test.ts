import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import {
	confinement,
	echo,
	makeSpawner,
	startHosted,
	useObstacle,
} from "../../../test/support/hosted-child.ts";
import { eventually, markedProcesses } from "../../../test/support/processes.ts";
import { systemClock } from "../../lib/clock.ts";
import { InstanceGroups } from "./groups/instance-groups.ts";
import { launch_programs } from "./launch-programs.ts";
import type { ProcessLimits } from "./launcher.ts";
import type { LaunchOrder, Spare, SpareOptions } from "./spare.ts";
import { orderBytes, SpareLauncher } from "./spare.ts";

const root = await realpath(await mkdtemp(join(tmpdir(), "moorage-spare-")));
after(() => rm(root, { recursive: true }));

const skip =
	process.platform !== "linux" || launch_programs[process.arch] === undefined
		? "there is no launcher that waits for this machine"
		: false;
const none: ProcessLimits = { file_bytes_max: undefined, descriptors_max: undefined };

function makeLauncher(groupsOf: SpareOptions["groupsOf"] = () => undefined, folder = root) {
	const clock = new FakeClock();
	let numbers = 0;
	const launcher = new SpareLauncher({
		clock,
		folder,
		number: () => {
			numbers += 1;
			return numbers;
		},
		markOf: (number) => ({ MARK: `mark-${number}` }),
		groupsOf,
	});
	return { launcher, clock };
}

async function makeSpare(): Promise<{ launcher: SpareLauncher; spare: Spare }> {
	const { launcher, clock } = makeLauncher();
	launcher.prepareSoon();
	await clock.advance(60_000);
	await eventually(() => launcher.is_ready, Boolean);
	const spare = launcher.take();
	assert(spare !== undefined);
	return { launcher, spare };
}

function shell(script: string, ...args: string[]): LaunchOrder {
	const line = { program: "/bin/sh", args: ["-c", script, "sh", ...args] };
	return { line, env: { PATH: "/usr/bin:/bin" }, cwd: root };
}

/** What a program writes, and how it ends. */
async function outcomeOf({ child }: Spare) {
	const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
	const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
	return { stdout, stderr, code };
}

async function run(order: LaunchOrder, limits = none) {
	const { spare } = await makeSpare();
	const bytes = orderBytes(order);
	assert(bytes !== undefined);
	spare.launch(bytes, limits);
	return outcomeOf(spare);
}

test("what waits becomes the program that it is told of, with nothing of its own", {
	skip,
}, async () => {
	const { spare } = await makeSpare();
	const { pid } = spare.child;
	const args = ["two words", "", "$HOME", "`id`", "né\n"];
	const script = 'echo $$; pwd; for one in "$@"; do printf "%s\\036" "$one"; done; env; cat';
	const bytes = orderBytes({
		...shell(script, ...args),
		env: { PATH: "/usr/bin:/bin", A: "b=\n" },
	});
	assert(bytes !== undefined);
	spare.launch(bytes, none);
	spare.child.stdin.end("what it is sent");
	const { stdout, stderr, code } = await outcomeOf(spare);
	assert.equal(stderr, "");
	assert.equal(code, 0);
	assert.ok(stdout.startsWith(`${pid}\n${root}\n${args.map((one) => `${one}\u{1E}`).join("")}`));
	assert.ok(stdout.includes("A=b=\n\n") && stdout.endsWith("what it is sent"));
	assert.ok(!stdout.includes("MARK="));
});

test("it has the limits that the program is to have, and no more files than that is given", {
	skip,
}, async () => {
	const filter_path = join(root, "filter");
	await writeFile(filter_path, "what the file says");
	const script = "ulimit -f; ulimit -n; ulimit -c; cat <&3; [ -e /proc/self/fd/4 ] || echo .";
	const order = { ...shell(script), filter_path };
	const { stdout } = await run(order, { file_bytes_max: 1025, descriptors_max: 64 });
	assert.equal(stdout, "3\n64\n0\nwhat the file says.\n");
});

test("a program that cannot be run, or not there, or without its file, says so", {
	skip,
}, async () => {
	const order = shell("echo ran");
	const cases: [LaunchOrder, number][] = [
		[{ ...order, line: { program: join(root, "missing"), args: [] } }, 127],
		[{ ...order, cwd: join(root, "missing") }, 94],
		[{ ...order, filter_path: join(root, "missing") }, 95],
	];
	for (const [wrong, expected] of cases) {
		const { stdout, stderr, code } = await run(wrong);
		assert.deepEqual([stdout, code], ["", expected]);
		assert.match(stderr, /^moorage-launch: .+\n$/u);
	}
});

test("what is told in part only is not run: whoever told it is gone", { skip }, async () => {
	const bytes = orderBytes(shell("echo ran"));
	assert(bytes !== undefined);
	for (const length of [0, 1, bytes.length >> 1, bytes.length - 1]) {
		const { spare } = await makeSpare();
		spare.launch(bytes.subarray(0, length), none);
		assert.deepEqual(await outcomeOf(spare), { stdout: "", stderr: "", code: 0 });
	}
});

test("more than an order, or a number that is none, is refused", { skip }, async () => {
	const bytes = orderBytes(shell("echo ran"));
	assert(bytes !== undefined);
	const odd = Buffer.from(`${root}\0-\0many\0`);
	for (const order of [Buffer.concat([bytes, Buffer.from("more\0")]), odd, Buffer.alloc(300_000)]) {
		const { spare } = await makeSpare();
		spare.launch(order, none);
		const { stdout, code } = await outcomeOf(spare);
		assert.deepEqual([stdout, code], ["", 90]);
	}
});

test("what no process can be told, or what is too long, is left to the other way", () => {
	const long = "x".repeat(64 * 1024);
	assert.equal(orderBytes(shell("echo", "a\0b")), undefined);
	assert.equal(orderBytes(shell("echo", long)), undefined);
	assert.notEqual(orderBytes(shell("echo", long.slice(1_000))), undefined);
});

test("one is made at a time, a while after it was asked for, and it ends when it is closed", {
	skip,
}, async () => {
	const { launcher, clock } = makeLauncher();
	launcher.prepareSoon();
	launcher.prepareSoon();
	assert.equal(launcher.is_ready, false);
	await clock.advance(60_000);
	await eventually(() => launcher.is_ready, Boolean);
	const first = launcher.take();
	assert.equal(launcher.is_ready, false);
	assert.equal(launcher.take(), undefined);
	launcher.prepareSoon();
	await clock.advance(60_000);
	await eventually(() => launcher.is_ready, Boolean);
	await launcher.close();
	assert.equal(launcher.is_ready, false);
	launcher.prepareSoon();
	await clock.advance(60_000);
	assert.equal(launcher.take(), undefined);
	await first?.discard();
	assert.equal(existsSync(`/proc/${first?.child.pid}`), false);
});

test("one that cannot enter its groups is not handed out, and after three none is made", {
	skip,
}, async () => {
	const nowhere = { version: 2, folder: join(root, "nowhere"), uses: [] } as const;
	let made = 0;
	const { launcher, clock } = makeLauncher(() => {
		made += 1;
		return new InstanceGroups(systemClock, [nowhere]);
	});
	for (let round = 1; round <= 4; round += 1) {
		launcher.prepareSoon();
		await clock.advance(60_000);
		const expected = Math.min(round, 3);
		await eventually(() => made === expected && !launcher.is_ready, Boolean);
	}
	assert.equal(launcher.take(), undefined);
});

test("where it cannot be written, all is as without it", { skip }, async () => {
	const file = join(root, "file");
	await writeFile(file, "no folder");
	const { launcher, clock } = makeLauncher(undefined, file);
	launcher.prepareSoon();
	await clock.advance(60_000);
	await launcher.close();
	assert.equal(launcher.take(), undefined);
});

/** Command lines of processes that wait for their program. */
const waiting = ({ marker_prefix }: { readonly marker_prefix: string }) =>
	markedProcesses(marker_prefix).filter((line) => line.includes("/run/launch "));

const skip_hosted = skip || useObstacle([2], "freezer");
test("when a start is over the next one is made ready, in groups of its own", {
	skip: skip_hosted,
}, async () => {
	await using spawner = await makeSpawner();
	const request = { command: "cat", confinement: confinement(root, { processes_max: 64 }) };
	const first = await startHosted(spawner, request);
	await echo(first, "first");
	assert.deepEqual(waiting(spawner), []);
	first.settled?.();
	await eventually(
		() => waiting(spawner),
		({ length }) => length === 1,
	);
	const [line = ""] = waiting(spawner);
	const second = await startHosted(spawner, { ...request, env: { GREETING: "ahoy" } });
	await echo(second, "second");
	assert.equal(second.pid, Number.parseInt(line, 10));
	assert.deepEqual(waiting(spawner), []);
	const environ = readFileSync(`/proc/${second.pid}/environ`, "utf8").split("\0");
	assert.ok(environ.includes("GREETING=ahoy"));
	const groups = [first, second].map(({ pid }) => readFileSync(`/proc/${pid}/cgroup`, "utf8"));
	assert.notEqual(groups[0], groups[1]);
	assert.deepEqual(second.notes?.(), first.notes?.());
	assert.equal(await second.hibernation?.freeze(), true);
	await second.hibernation?.thaw();
	await echo(second, "awake");
	await second.stop(10_000);
	assert.equal(existsSync(`/proc/${second.pid}`), false);
});

test("what waits ends with the gateway, however that ends", { skip: skip_hosted }, async () => {
	const spawner = await makeSpawner();
	const child = await startHosted(spawner, { command: "cat", confinement: confinement(root) });
	child.settled?.();
	await eventually(
		() => waiting(spawner),
		({ length }) => length === 1,
	);
	await spawner[Symbol.asyncDispose]();
	assert.deepEqual(markedProcesses(spawner.marker_prefix), []);
});

test("our own tools are started as ever", { skip: skip_hosted }, async () => {
	await using spawner = await makeSpawner();
	const child = await startHosted(spawner, { command: "cat", confinement: confinement(root) });
	child.settled?.();
	await eventually(
		() => waiting(spawner),
		({ length }) => length === 1,
	);
	const tool = await startHosted(spawner, { command: "cat" });
	await echo(tool, "a tool");
	tool.settled?.();
	assert.equal(waiting(spawner).length, 1);
});
