import assert from "node:assert/strict";
import { after, test } from "node:test";
import { packageScene } from "../../../test/support/package-scene.ts";
import { processEnvironment } from "../../lib/environment.ts";

const scene = await packageScene("install-npm");
after(() => scene.close());

/** npm's own pauses between its tries are 70 seconds in all, this test's time is half of them. */
test("a registry that does not answer is told of soon", { timeout: 35_000 }, async () => {
	const { resolver } = scene.makeResolver({
		node_path: process.execPath,
		// Nothing listens there: port 1 needs a privileged program, of which no machine has one.
		environment: {
			PATH: processEnvironment()["PATH"],
			HOME: scene.root,
			npm_config_registry: "http://127.0.0.1:1",
		},
	});
	const resolved = await resolver.resolve(scene.stdio("npx -y tiny"), {
		server: "it",
		progress: () => {},
	});
	assert(!resolved.ok);
	assert.equal(resolved.problem.why, "offline");
	assert.match(resolved.problem.message, /registry could not be reached.*tries again by itself/u);
});
