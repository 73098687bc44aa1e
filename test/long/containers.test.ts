import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { connectV1 } from "../support/clients.ts";
import { startDockerEngine } from "../support/docker-engine.ts";
import { stdioFixture } from "../support/gateway.ts";
import { startMoorage } from "../support/moorage-process.ts";
import { eventually } from "../support/processes.ts";
import { tempFolder } from "../support/temp-folder.ts";

const docker = await startDockerEngine();

if ("skip" in docker) {
	test("a gateway with servers in containers", { skip: docker.skip }, () => {});
} else {
	after(() => docker.stop());

	/** What runs of the named server: the ids of its containers. */
	const idsOf = async (server: string) => {
		const filters = encodeURIComponent(JSON.stringify({ label: [`dev.moorage.server=${server}`] }));
		const { text } = await docker.ask("GET", `/containers/json?all=1&filters=${filters}`);
		return (JSON.parse(text) as { Id: string }[]).map(({ Id }) => Id);
	};

	test("a container outlives neither a gateway that stops nor one that is killed", async (t) => {
		const folder = await tempFolder(t);
		const config = join(folder, "moorage.yaml");
		const data = join(folder, "data");
		const serverOf = (fixture: string) => ({
			image: docker.image,
			args: ["node", `/servers/${fixture}.mjs`],
			timeouts: { stop: "100ms" },
		});
		const servers = { deaf: serverOf("stubborn"), echo: serverOf("echo") };
		await writeFile(config, JSON.stringify({ version: 1, servers }));
		const environment = { ...process.env, ...docker.environment };

		const first = await startMoorage(config, data, environment);
		const states = first.report.servers.map(({ name, state }) => `${name} ${state}`);
		assert.deepEqual(states.sort(), ["deaf ready", "echo ready"]);
		const client = await connectV1(first.address("echo"));
		const result = await client.callTool({ name: "echo", arguments: { text: "contained" } });
		assert.deepEqual(result.content, [{ type: "text", text: "contained" }]);
		await client.close();
		const [left, ...more] = await idsOf("deaf");
		assert.ok(left !== undefined);
		assert.deepEqual(more, []);

		await first.kill();
		assert.deepEqual(await idsOf("deaf"), [left]);
		const second = await startMoorage(config, data, environment);
		t.after(() => second.stop());
		await eventually(
			() => idsOf("deaf"),
			(ids) => !ids.includes(left),
		);
		const again = await connectV1(second.address("deaf"));
		await again.callTool({ name: "echo", arguments: { text: "again" } });
		await again.close();
		assert.equal((await idsOf("deaf")).length, 1);

		assert.equal(await second.stop(), 0);
		assert.deepEqual([...(await idsOf("deaf")), ...(await idsOf("echo"))], []);
	});

	test("a container that a killed gateway left is removed though no server has one now", async (t) => {
		const folder = await tempFolder(t);
		const config = join(folder, "moorage.yaml");
		const data = join(folder, "data");
		const left = {
			image: docker.image,
			args: ["/bin/node", "/servers/stubborn.mjs"],
			timeouts: { stop: "100ms" },
		};
		await writeFile(config, JSON.stringify({ version: 1, servers: { left } }));
		const environment = { ...process.env, ...docker.environment };
		const first = await startMoorage(config, data, environment);
		assert.equal((await idsOf("left")).length, 1);
		await first.kill();
		assert.equal((await idsOf("left")).length, 1, "nobody was there to end it");
		await writeFile(
			config,
			JSON.stringify({ version: 1, servers: { echo: stdioFixture("echo") } }),
		);
		const second = await startMoorage(config, data, environment);
		t.after(() => second.stop());
		await eventually(
			() => idsOf("left"),
			(ids) => ids.length === 0,
		);
	});

	test("without an engine the server says where it was looked for, and others run", async (t) => {
		const folder = await tempFolder(t);
		const config = join(folder, "moorage.yaml");
		const servers = { lost: { image: docker.image } };
		await writeFile(config, JSON.stringify({ version: 1, servers }));
		const environment = { ...process.env, DOCKER_HOST: `unix://${folder}/none.sock` };
		const moorage = await startMoorage(config, join(folder, "data"), environment);
		t.after(() => moorage.stop());
		assert.equal(moorage.report.servers[0]?.state, "failed");
		assert.match(JSON.stringify(moorage.report), /none\.sock.*Start Docker or Podman/);
	});
}
