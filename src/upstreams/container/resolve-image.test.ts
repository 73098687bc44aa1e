import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryImageLock } from "../../../test/support/memory-image-lock.ts";
import { faultOf, taken } from "../../../test/support/upstream-harness.ts";
import type { ContainerSpec } from "../../config/plan.ts";
import { systemRandom } from "../../lib/random.ts";
import { fail, succeed } from "../../lib/result.ts";
import type { ImageDetails } from "./engine.ts";
import type { EngineProblem } from "./engine-problem.ts";
import { type ResolveImageContext, resolveImage } from "./resolve-image.ts";

const sha = (letter: string) => `sha256:${letter.repeat(64)}`;
const missing: EngineProblem = { kind: "refused", status: 404, message: "no such image" };

function imageOf(letter: string, names: readonly string[] = []): ImageDetails {
	const digests = names.map((name) => `${name}@${sha(letter)}`);
	return {
		id: sha(letter.toUpperCase()),
		digests,
		user: "",
		entrypoint: [],
		command: [],
		platform: "linux/amd64",
	};
}

/** An engine with a registry behind it; both are maps from names to images. */
class FakeEngine {
	readonly images = new Map<string, ImageDetails>();
	readonly registry = new Map<string, ImageDetails>();
	readonly pulled: string[] = [];
	down: EngineProblem | undefined;

	/** The engine has the image under this name, its id and its digests. */
	add(name: string, image: ImageDetails): void {
		for (const known of [name, image.id, ...image.digests]) this.images.set(known, image);
	}

	async image(name: string) {
		if (this.down !== undefined) return fail(this.down);
		const image = this.images.get(name);
		return image === undefined ? fail(missing) : succeed(image);
	}

	async pull(name: string) {
		this.pulled.push(name);
		const image = this.registry.get(name);
		if (image === undefined) return fail({ ...missing, message: "manifest unknown" });
		this.add(name, image);
		return succeed(undefined);
	}
}

function setUp() {
	const engine = new FakeEngine();
	const lock = new MemoryImageLock();
	const told: string[] = [];
	const resolve = (image: string, over: Partial<ResolveImageContext> = {}) => {
		const spec: ContainerSpec = { driver: "container", image, args: ["a"], env: {} };
		const progress = (line: string) => told.push(line);
		const parts = { engine, lock, server: "fixture", random: systemRandom, progress };
		return resolveImage(spec, { ...parts, ...over });
	};
	return { engine, lock, told, resolve };
}

test("an image that is there is taken, locked, and not fetched", async () => {
	const { engine, lock, resolve } = setUp();
	engine.add("x/y:1", imageOf("a", ["other/y", "x/y"]));
	const resolved = taken(await resolve("x/y:1"));
	assert.deepEqual(resolved.spec, { driver: "container", image: sha("A"), args: ["a"], env: {} });
	assert.equal(resolved.digest, sha("a"));
	assert.equal(resolved.id, sha("A"));
	assert.deepEqual(engine.pulled, []);
	const entry = { name: "x/y", digest: sha("a"), ids: { "linux/amd64": sha("A") } };
	assert.deepEqual([...lock.images], [["x/y:1", entry]]);
});

test("an image that is not there is fetched, and people are told", async () => {
	const { engine, told, resolve } = setUp();
	engine.registry.set("h:5000/y:1", imageOf("a", ["h:5000/y"]));
	assert.equal(taken(await resolve("h:5000/y:1")).digest, sha("a"));
	assert.deepEqual(told, ["fetching the image h:5000/y:1", "fetched the image h:5000/y:1"]);
});

test("a tag that moves changes nothing until an update is asked for", async () => {
	const { engine, lock, resolve } = setUp();
	engine.add("y:1", imageOf("a", ["y"]));
	await resolve("y:1");
	engine.add("y:1", imageOf("b", ["y"]));
	engine.registry.set("y:1", imageOf("c", ["y"]));
	assert.equal(taken(await resolve("y:1")).id, sha("A"));
	const { id, locked } = taken(await resolve("y:1", { update: true }));
	assert.equal(id, sha("C"));
	assert.equal(locked.digest, sha("c"));
	assert.equal(lock.images.get("y:1")?.digest, sha("a"), "nothing is locked by looking");
	assert.deepEqual(engine.pulled, ["y:1"]);
	assert.equal(taken(await resolve("y:1")).id, sha("A"));
	assert.equal(taken(await resolve("y:1", { locked })).id, sha("C"));
	assert.equal(lock.images.get("y:1")?.digest, sha("a"));
});

test("what is locked is fetched by its digest where it is missing", async () => {
	const { engine, lock, resolve } = setUp();
	lock.images.set("y:1", { name: "y", digest: sha("a"), ids: { "linux/arm64": sha("E") } });
	engine.add("y:1", imageOf("b", ["y"]));
	engine.registry.set(`y@${sha("a")}`, imageOf("a", ["y"]));
	assert.equal(taken(await resolve("y:1")).id, sha("A"));
	assert.deepEqual(engine.pulled, [`y@${sha("a")}`]);
	const ids = { "linux/arm64": sha("E"), "linux/amd64": sha("A") };
	assert.deepEqual(lock.images.get("y:1")?.ids, ids);
});

test("an image that no registry has runs as it was locked, or not at all", async () => {
	const { engine, resolve } = setUp();
	engine.add("made:1", imageOf("a"));
	assert.equal(taken(await resolve("made:1")).digest, undefined);
	engine.images.clear();
	const gone = faultOf(await resolve("made:1"));
	assert.equal(gone.code, "install_failed");
	assert.match(gone.message, /made:1 is locked.*not on this one/);
	engine.add("made:1", imageOf("b"));
	const changed = faultOf(await resolve("made:1"));
	assert.equal(changed.code, "package_changed");
	assert.match(changed.message, /made:1 is not the one that is locked.*moorage\.lock/);
	assert.equal(taken(await resolve("made:1", { update: true })).id, sha("B"));
	assert.deepEqual(engine.pulled, []);
});

test("the registry that Docker takes for granted is the same with its name and without", async () => {
	const { engine, lock, resolve } = setUp();
	engine.add("y:1", imageOf("a", ["docker.io/library/y"]));
	engine.add("z/y:1", imageOf("b", ["docker.io/z/y"]));
	await resolve("y:1");
	await resolve("z/y:1");
	assert.equal(lock.images.get("y:1")?.digest, sha("a"));
	assert.equal(lock.images.get("z/y:1")?.digest, sha("b"));
});

test("what cannot be fetched is told with what to look at, and nothing is locked", async () => {
	const { lock, resolve } = setUp();
	const fault = faultOf(await resolve("y:1"));
	assert.equal(fault.code, "install_failed");
	assert.match(fault.message, /"fixture" refused: manifest unknown\. Check the name .* y:1/);
	assert.equal(lock.images.size, 0);
});

test("an engine that is missing or broken is not taken for an image that is", async () => {
	const { engine, lock, resolve } = setUp();
	engine.down = { kind: "broken", detail: "ECONNRESET" };
	assert.equal(faultOf(await resolve("y:1")).code, "install_failed");
	engine.down = { kind: "missing", tried: ["/a.sock"], detail: "" };
	assert.equal(faultOf(await resolve("y:1")).code, "command_missing");
	lock.images.set("y:1", { name: "y", ids: { "linux/amd64": sha("A") } });
	assert.equal(faultOf(await resolve("y:1")).code, "command_missing");
	assert.deepEqual(engine.pulled, []);
});

test("a lock that cannot be read or written stops the start", async () => {
	const { engine, lock, resolve } = setUp();
	engine.add("y:1", imageOf("a"));
	const damaged = { get: async () => fail("It is damaged."), set: async () => undefined };
	assert.equal(faultOf(await resolve("y:1", { lock: damaged })).message, "It is damaged.");
	const full = { get: () => lock.get("y:1"), set: async () => "The disk is full." };
	assert.equal(faultOf(await resolve("y:1", { lock: full })).message, "The disk is full.");
});
