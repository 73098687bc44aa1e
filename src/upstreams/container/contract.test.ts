import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startDockerEngine } from "../../../test/support/docker-engine.ts";
import { verifyDriver } from "../../../test/support/driver-contract.ts";
import { systemClock } from "../../lib/clock.ts";
import { systemRandom } from "../../lib/random.ts";
import { stdioDriver } from "../stdio/driver.ts";
import { Containers } from "./containers.ts";
import { containerDriverWith } from "./driver.ts";
import { labels } from "./labels.ts";

const docker = await startDockerEngine();

if ("skip" in docker) {
	test("the driver contract, containers", { skip: docker.skip }, () => {});
} else {
	const { engine, image } = docker;
	after(() => docker.stop());
	const containers = new Containers({
		engine,
		clock: systemClock,
		random: systemRandom,
		owner_id: "contract",
		self: undefined,
	});

	verifyDriver({
		name: "containers",
		driver: containerDriverWith(containers, stdioDriver),
		era: "legacy",
		start: async (fixture, args) => ({
			spec: {
				driver: "container" as const,
				image,
				args: ["/bin/node", `/servers/${fixture}.mjs`, ...args],
				env: {},
			},
			stop: async () => {},
		}),
	});

	test("all of this leaves no container behind", async () => {
		await containers.close();
		const listed = await engine.list(`${labels.owner}=contract`);
		assert.ok(listed.ok);
		assert.deepEqual(listed.value, []);
	});
}
