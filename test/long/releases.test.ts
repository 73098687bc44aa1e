import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { AdminReleases } from "../support/admin-releases.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { eventually } from "../support/processes.ts";
import { textOf } from "../support/raw-client.ts";
import { sandboxObstacle } from "../support/sandboxed.ts";
import { LegacyWire, ModernWire, openLegacy } from "../support/wire-clients.ts";

/** New versions of servers: started beside the old, compared, and taking over, or given up. */

const sandboxed = (await sandboxObstacle()) === false;

function versioned(env: Record<string, string> = {}, more: object = {}) {
	return { ...stdioFixture("versioned"), env, ...more };
}

function releasesOf(gateway: TestGateway): AdminReleases {
	return new AdminReleases(gateway);
}

function at(gateway: TestGateway, endpoint: string) {
	return new ModernWire(gateway.address(endpoint));
}

async function versionAt(gateway: TestGateway, endpoint = "one"): Promise<string> {
	return textOf(await at(gateway, endpoint).call("version"));
}

async function statesOf(gateway: TestGateway, server = "one"): Promise<string[]> {
	const { versions } = await releasesOf(gateway).versions(server);
	return versions.map(({ number, state }) => `${number} ${state}`);
}

describe("a changed configuration", () => {
	let gateway: TestGateway;
	before(async () => {
		gateway = await startGateway({ servers: { one: versioned({ VERSION: "1" }) } });
	});
	after(() => gateway.stop());

	const change = (env: Record<string, string>, more: object = {}) =>
		gateway.reconfigure({ servers: { one: versioned(env, more) } });

	test("becomes a version that takes over, with what it offers otherwise", async () => {
		assert.equal(await versionAt(gateway), "1");
		assert.ok((await change({ VERSION: "2", EXTRA: "more" })).ok);
		assert.equal(await versionAt(gateway), "2");
		assert.deepEqual(await statesOf(gateway), ["1 retired", "2 active"]);
		const [, second] = (await releasesOf(gateway).versions("one")).versions;
		assert.deepEqual(second?.changes, ['tool "more" was added']);
	});

	test("that does not start is given up with the reason, and the old version runs on", async () => {
		const outcome = await change({ DEAD: "yes" });
		assert.ok(outcome.ok);
		assert.match(outcome.value.warnings.join("\n"), /"one" was given up.*exited with code 3/s);
		assert.equal(await versionAt(gateway), "2");
		assert.deepEqual(await statesOf(gateway), ["1 retired", "2 active", "3 failed"]);
		assert.equal(gateway.daemon.overview().servers[0]?.state, "ready");
		// Applying it once more would change nothing, but it is not what runs.
		const { changed, warnings } = await releasesOf(gateway).plan();
		assert.deepEqual(changed, []);
		assert.match(warnings.join(), /version 3, which the .* given up.*`moorage deploy one` tries/s);
	});

	test("breaks no session and no call in flight", async () => {
		const session: LegacyWire = await openLegacy(gateway.address("one"));
		assert.equal(textOf(await session.call("version")), "2");
		const outcome = await change({ VERSION: "4" });
		assert.ok(outcome.ok);
		assert.match(outcome.value.warnings.join("\n"), /may break clients/, "a tool is gone");
		assert.equal(textOf(await session.call("version")), "4");
	});

	test("keeps what its server has written", async () => {
		await at(gateway, "one").call("remember", '{"text":"across versions"}');
		assert.ok((await change({ VERSION: "5" })).ok);
		assert.equal(textOf(await at(gateway, "one").call("recall")), "across versions");
	});
});

describe("a rollback", () => {
	test("runs the version before, and stays there until the configuration changes", async (t) => {
		const folder = await mkdtemp(join(tmpdir(), "moorage-test-"));
		const config = (version: string) => ({ servers: { one: versioned({ VERSION: version }) } });
		const gateway = await startGateway(config("1"), { folder });
		assert.ok((await gateway.reconfigure(config("2"))).ok);
		const rolled = await releasesOf(gateway).rollback("one");
		assert.ok(rolled.ok, JSON.stringify(rolled));
		assert.equal(rolled.value.version, 1);
		assert.equal(await versionAt(gateway), "1");
		assert.equal((await releasesOf(gateway).versions("one")).held_at, 1);
		assert.ok((await gateway.reconfigure(config("2"))).ok);
		assert.equal(await versionAt(gateway), "1", "an unchanged configuration changes nothing");
		await gateway.stop();

		const again = await startGateway(config("2"), { folder });
		t.after(async () => {
			await again.stop();
			await rm(folder, { recursive: true, force: true });
		});
		assert.equal(await versionAt(again), "1", "it is held across a restart");
		assert.ok((await again.reconfigure(config("3"))).ok);
		assert.equal(await versionAt(again), "3");
		assert.equal((await releasesOf(again).versions("one")).held_at, undefined);
	});

	test("to a version that does not exist, or that runs already, is refused", async (t) => {
		const gateway = await startGateway({ servers: { one: versioned() } });
		t.after(() => gateway.stop());
		const releases = releasesOf(gateway);
		const codeOf = async (version: number | undefined) => {
			const outcome = await releases.rollback("one", version);
			return outcome.ok ? "done" : outcome.code;
		};
		assert.equal(await codeOf(undefined), "version_unknown");
		assert.equal(await codeOf(9), "version_unknown");
		assert.equal(await codeOf(1), "nothing_to_do");
	});
});

describe("a deploy", () => {
	let gateway: TestGateway;
	const config = (env: Record<string, string>, more: object = {}) => ({
		servers: { one: versioned(env, more) },
	});
	before(async () => {
		gateway = await startGateway(config({ VERSION: "1" }));
	});
	after(() => gateway.stop());

	test("that is held takes no call until it is promoted", async () => {
		const deployed = await releasesOf(gateway).deploy("one", { hold: true });
		assert.ok(deployed.ok);
		assert.equal(deployed.value.state, "held");
		assert.deepEqual(await statesOf(gateway), ["1 active", "2 trial"]);
		const promoted = await releasesOf(gateway).promote("one");
		assert.ok(promoted.ok);
		assert.deepEqual(await statesOf(gateway), ["1 retired", "2 active"]);
	});

	test("with a share whose calls fail goes back by itself", async () => {
		const rollout = { percent: 50, watch: "1h", errors: 5 };
		assert.ok((await gateway.reconfigure(config({ VERSION: "3", BROKEN: "1" }, { rollout }))).ok);
		assert.deepEqual((await statesOf(gateway)).at(-1), "3 trial");
		// Sessions stay with one version each; the unlucky ones are what the judgement needs.
		for (let number = 0; number < 200; number += 1) {
			if ((await statesOf(gateway)).at(-1) !== "3 trial") break;
			const session = await openLegacy(gateway.address("one"));
			await session.call("version");
		}
		const { versions } = await releasesOf(gateway).versions("one");
		assert.equal(versions.at(-1)?.state, "failed");
		assert.match(versions.at(-1)?.reason ?? "", /of its \d+ calls failed/);
		assert.equal(await versionAt(gateway), "1");
	});

	test("with a share is kept by each caller, and can be let on at any time", async () => {
		const rollout = { percent: 50, watch: "1h" };
		assert.ok((await gateway.reconfigure(config({ VERSION: "4" }, { rollout }))).ok);
		const seen = new Set<string>();
		for (let number = 0; number < 100 && seen.size < 2; number += 1) {
			const session = await openLegacy(gateway.address("one"));
			const first = textOf(await session.call("version"));
			assert.equal(textOf(await session.call("version")), first);
			seen.add(first);
		}
		assert.deepEqual([...seen].toSorted(), ["1", "4"]);
		assert.ok((await releasesOf(gateway).promote("one")).ok);
		assert.equal(await versionAt(gateway), "4");
	});
});

describe("a share that is given by hand", () => {
	let gateway: TestGateway;
	before(async () => {
		gateway = await startGateway({ servers: { one: versioned({ VERSION: "1" }) } });
	});
	after(() => gateway.stop());

	const share = async () => {
		const deployed = await releasesOf(gateway).deploy("one", { percent: 50 });
		assert.ok(deployed.ok);
		assert.equal(deployed.value.state, "sharing");
	};
	const now = async () => (await releasesOf(gateway).versions("one")).rollout?.state;

	test("is kept and watched though the configuration knows of none", async () => {
		await share();
		await eventually(
			() => releasesOf(gateway).lines("one"),
			(lines) => lines.includes("version 2 gets 50 percent of the calls"),
		);
		assert.equal(await now(), "sharing");
		assert.equal(await versionAt(gateway), "1");
		assert.deepEqual(await statesOf(gateway), ["1 active", "2 trial"]);
	});

	test("ends with a rollback, and the version that ran is held", async () => {
		const rolled = await releasesOf(gateway).rollback("one");
		assert.ok(rolled.ok, JSON.stringify(rolled));
		assert.deepEqual([rolled.value.version, rolled.value.state], [1, "live"]);
		assert.deepEqual(await statesOf(gateway), ["1 active", "2 failed"]);
		const { held_at, versions } = await releasesOf(gateway).versions("one");
		assert.equal(held_at, 1);
		assert.equal(versions.at(-1)?.reason, "it was rolled back");
	});

	test("of a version that is held ends with a rollback to the one that runs", async () => {
		assert.ok((await releasesOf(gateway).deploy("one", { hold: true })).ok);
		assert.ok((await releasesOf(gateway).rollback("one", 1)).ok);
		assert.deepEqual((await statesOf(gateway)).at(-1), "3 failed");
		const again = await releasesOf(gateway).rollback("one", 1);
		assert.equal(again.ok ? "done" : again.code, "nothing_to_do");
	});

	test("ends when the version does not start any more, and callers have the old one", async () => {
		const env = { VERSION: "4", ENDS: "yes" };
		const rollout = { percent: 50, watch: "1h" };
		assert.ok((await gateway.reconfigure({ servers: { one: versioned(env, { rollout }) } })).ok);
		assert.equal(await now(), "sharing");
		const answers: string[] = [];
		for (let number = 0; number < 300 && (await now()) !== undefined; number += 1) {
			const session = await openLegacy(gateway.address("one"));
			answers.push(textOf(await session.call("version")));
		}
		assert.deepEqual((await statesOf(gateway)).at(-1), "4 failed");
		const others = answers.filter((answer) => answer !== "1");
		assert.equal(others.length, 1, `only the call that ended it: ${others.join(" ")}`);
	});
});

describe("a fork", () => {
	let gateway: TestGateway;
	before(async () => {
		gateway = await startGateway({ servers: { one: versioned({ VERSION: "1" }) } });
		await at(gateway, "one").call("remember", '{"text":"first"}');
	});
	after(() => gateway.stop());

	test("has the files of its server at an address of its own, and changes only its own", async () => {
		const forked = await releasesOf(gateway).fork("one");
		assert.ok(forked.ok, JSON.stringify(forked));
		assert.equal(forked.value.name, "one-fork");
		assert.equal(textOf(await at(gateway, "one-fork").call("recall")), "first");
		await at(gateway, "one-fork").call("remember", '{"text":"forked"}');
		assert.equal(textOf(await at(gateway, "one").call("recall")), "first");
	});

	test("under a name that is taken, or is no address, is refused", async () => {
		const codeOf = async (name: string) => {
			const refused = await releasesOf(gateway).fork("one", name);
			return refused.ok ? "done" : refused.code;
		};
		assert.equal(await codeOf("one-fork"), "server_exists");
		for (const name of ["a b", "../up", "mcp", "a__b"]) {
			assert.equal(await codeOf(name), "invalid_request", name);
		}
	});

	test("that is promoted takes the server's place with its files, and no call is lost", async () => {
		const held = at(gateway, "one").call("hold");
		while ((await releasesOf(gateway).leases("one")) === 0);
		const promoted = await releasesOf(gateway).promote("one-fork");
		assert.ok(promoted.ok, JSON.stringify(promoted));
		assert.equal(promoted.value.server, "one");
		assert.equal(textOf(await at(gateway, "one").call("recall")), "forked");
		const gone = await at(gateway, "one-fork").send({ method: "tools/list" });
		assert.equal(gone.status, 404);
		assert.deepEqual((await releasesOf(gateway).versions("one")).forks, []);
		const volumes = join(gateway.folder, ".moorage", "volumes");
		const aside = (await readdir(volumes)).filter((name) => name.startsWith(".replaced-"));
		if (sandboxed) {
			// What was called before has its own files to the end.
			assert.equal(aside.length, 1);
			await writeFile(join(volumes, aside[0] ?? "", "shared", "release"), "");
			assert.equal(textOf(await held), "held first");
			const lines = await releasesOf(gateway).lines("one");
			assert.ok(!lines.includes("restart asked for"), "nothing was started anew");
		} else await held;
		const left = () => readdirSync(volumes).filter((name) => name.startsWith("."));
		await eventually(left, (names) => names.length === 0);
	});

	test("that is being promoted is left alone, and has its server's place in the end", async () => {
		assert.ok((await releasesOf(gateway).fork("one", "busy")).ok);
		assert.ok((await releasesOf(gateway).fork("one", "other")).ok);
		await at(gateway, "busy").call("remember", '{"text":"busy"}');
		const held = at(gateway, "busy").call("hold");
		while ((await releasesOf(gateway).leases("busy")) === 0);
		// Nothing is tried before the last call on the fork is over.
		const promoted = releasesOf(gateway).promote("busy");
		while ((await at(gateway, "busy").send({ method: "tools/list" })).status !== 404);
		const others = await Promise.all([
			releasesOf(gateway).promote("busy"),
			releasesOf(gateway).remove("busy"),
			releasesOf(gateway).promote("other"),
			releasesOf(gateway).deploy("one", {}),
			releasesOf(gateway).rollback("one"),
			releasesOf(gateway).fork("one", "third"),
		]);
		assert.deepEqual(
			others.map((answer) => (answer.ok ? "done" : answer.code)),
			others.map(() => "nothing_to_do"),
		);
		const volume = join(gateway.folder, ".moorage", "volumes", "busy", "shared");
		await writeFile(join(volume, "release"), "");
		assert.equal(textOf(await held), "held busy");
		assert.ok((await promoted).ok);
		assert.equal(textOf(await at(gateway, "one").call("recall")), "busy");
		await at(gateway, "one").call("remember", '{"text":"forked"}');
		assert.ok((await releasesOf(gateway).remove("other")).ok);
		assert.equal((await releasesOf(gateway).remove("busy")).ok, false, "it is no more");
	});

	test("that does not start stays beside its server", async () => {
		assert.ok((await releasesOf(gateway).fork("one", "broken")).ok);
		const volume = join(gateway.folder, ".moorage", "volumes", "broken", "shared");
		await writeFile(join(volume, "dead"), "");
		const promoted = await releasesOf(gateway).promote("broken");
		assert.ok(!promoted.ok);
		assert.equal(promoted.code, "release_failed");
		assert.equal(textOf(await at(gateway, "one").call("recall")), "forked");
		await rm(join(volume, "dead"));
		assert.equal(textOf(await at(gateway, "broken").call("recall")), "forked");
		assert.match((await statesOf(gateway)).at(-1) ?? "", /failed/);
		assert.ok((await releasesOf(gateway).remove("broken")).ok);
	});

	test("is thrown away like any server", async () => {
		assert.ok((await releasesOf(gateway).fork("one", "trial")).ok);
		assert.equal(textOf(await at(gateway, "trial").call("recall")), "forked");
		assert.ok((await releasesOf(gateway).remove("trial")).ok);
		const gone = await at(gateway, "trial").send({ method: "tools/list" });
		assert.equal(gone.status, 404);
	});
});

test("a fork of a server that knows its files by their names takes its place by a restart", async (t) => {
	const config = { servers: { one: versioned({}, { sandbox: { mode: "off" } }) } };
	const gateway = await startGateway(config);
	t.after(() => gateway.stop());
	await at(gateway, "one").call("remember", '{"text":"first"}');
	assert.ok((await releasesOf(gateway).fork("one")).ok);
	await at(gateway, "one-fork").call("remember", '{"text":"forked"}');
	const promoted = await releasesOf(gateway).promote("one-fork");
	assert.ok(promoted.ok, JSON.stringify(promoted));
	assert.equal(promoted.value.state, "live");
	assert.equal(textOf(await at(gateway, "one").call("recall")), "forked");
	assert.ok((await releasesOf(gateway).lines("one")).includes("restart asked for"));
	assert.deepEqual(await statesOf(gateway), ["1 retired", "2 active"]);
});

test("a plan says what would change, names secrets and does not show them", async (t) => {
	const gateway = await startGateway({ servers: { one: versioned({ LABEL: "secret-1" }) } });
	t.after(() => gateway.stop());
	const changed = versioned({ LABEL: "secret-2" }, { scope: "user" });
	const config = { version: 1, servers: { one: changed, two: versioned() } };
	await writeFile(gateway.config_path, JSON.stringify(config));
	const planned = await releasesOf(gateway).plan();
	assert.deepEqual(planned.added, ["two"]);
	assert.deepEqual(planned.changed, [
		{
			server: "one",
			differences: ['scope: "shared" -> "user"', "spec.env.LABEL: changed"],
		},
	]);
	assert.doesNotMatch(JSON.stringify(planned), /secret-/);
	assert.equal(await versionAt(gateway), "1", "nothing is changed by looking");
});
