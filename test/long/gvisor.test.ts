import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { release } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { declared_running } from "../../src/config/running.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { Containers } from "../../src/upstreams/container/containers.ts";
import { containerDriverWith } from "../../src/upstreams/container/driver.ts";
import { stdioDriver } from "../../src/upstreams/stdio/driver.ts";
import { eventually } from "../support/processes.ts";
import { startTestEngine, useEngine } from "../support/test-engine.ts";
import { callTool, openUpstream, textOf } from "../support/upstream-harness.ts";

/** What a hostile program tries in a container, it tries in vain under gVisor too. */
useEngine("gvisor");
await import("../../src/upstreams/container/escape.test.ts");

const started = await startTestEngine();
if (!("skip" in started)) after(() => started.stop());

test("a server under gVisor answers, sleeps, and ends at its limit on memory", {
	skip: "skip" in started && started.skip,
}, async () => {
	assert.ok(!("skip" in started));
	const { engine, folder, image } = started;
	const parts = { clock: systemClock, random: systemRandom, owner_id: "gvisor", self: undefined };
	const driver = containerDriverWith(new Containers({ engine, ...parts }), stdioDriver);
	const volume = join(folder, "volume");
	await mkdir(volume, { mode: 0o700 });
	const { sandbox, resources } = declared_running;
	const confinement = {
		...{ sandbox, untrusted: true, volume, temp: volume, needs: [], instance: "hungry/shared/1" },
		resources: { ...resources, memory_bytes_max: 128 * 1024 ** 2 },
	};
	const args = ["/bin/node", "/servers/hungry.mjs"];
	const spec = { driver: "container" as const, image, args, env: {}, runtime: "runsc" };
	const { upstream, recorder } = await openUpstream(driver, spec, { confinement });
	const { hibernation } = upstream;
	assert.ok(hibernation !== undefined);
	// This runtime refuses while it is still busy with the start; a server is frozen much later.
	await eventually(
		() => hibernation.freeze(),
		(frozen) => frozen,
	);
	await hibernation.thaw();
	const kernel = textOf(await callTool(upstream, "kernel", {}));
	assert.notEqual(kernel, release(), "it has a kernel of its own");
	const eaten = await callTool(upstream, "eat", {});
	assert.equal(eaten.ok, false);
	await recorder.until(() => recorder.gone.length > 0);
	assert.match(JSON.stringify(recorder.gone), /ran out of memory \(limit 128MiB\)/);
	await upstream.close();
});
