import assert from "node:assert/strict";
import { test } from "node:test";
import { npmEntry, npmProject, scriptedPackages } from "./npm-tree.ts";
import { pythonEntry, pythonRequirements } from "./python-tree.ts";

const npm_lock = {
	name: "installed",
	lockfileVersion: 3,
	packages: {
		"": { dependencies: { "@s/a": "^1" } },
		"node_modules/@s/a": {
			version: "1.2.0",
			resolved: "http://me:pw@r/a.tgz",
			integrity: "sha512-a",
			license: "MIT",
			dependencies: { b: "^2" },
			bin: { a: "cli.js" },
		},
		"node_modules/@s/a/node_modules/b": {
			version: "2.0.0",
			integrity: "sha512-b",
			hasInstallScript: true,
		},
		"node_modules/alias": { name: "real", version: "3.0.0", integrity: "sha512-r" },
		"node_modules/real/node_modules/inside": { version: "1.0.0", inBundle: true },
	},
};

test("of npm's lock everything is kept that decides what is installed, and no address", () => {
	const entry = npmEntry(npm_lock, ["@s/a@^1", "alias@npm:real@3"], "linux-x64");
	assert(entry.ok);
	const { digest, tree, ...rest } = entry.value;
	assert.match(digest, /^sha256-[0-9a-f]{64}$/u);
	assert.deepEqual(rest, {
		ecosystem: "npm",
		name: "@s/a",
		version: "1.2.0",
		integrity: "sha512-a",
		platform: "linux-x64",
	});
	assert.deepEqual(tree["node_modules/@s/a"], {
		version: "1.2.0",
		integrity: "sha512-a",
		bin: { a: "cli.js" },
		dependencies: { b: "^2" },
	});
	assert.deepEqual(scriptedPackages(entry.value), ["b"]);
	const project = npmProject(entry.value, ["@s/a@^1", "alias@npm:real@3"]);
	const manifest = JSON.parse(project.manifest);
	assert.deepEqual(manifest.dependencies, { "@s/a": "1.2.0", alias: "npm:real@3.0.0" });
	const lock = JSON.parse(project.lock);
	assert.equal(lock.lockfileVersion, 3);
	assert.deepEqual(lock.packages[""].dependencies, manifest.dependencies);
	const { "": _, ...places } = lock.packages;
	assert.deepEqual(places, tree);
});

test("the digest is of the tree, not of how it is written or where it was made", () => {
	const turned = Object.fromEntries(
		Object.entries(npm_lock.packages)
			.reverse()
			.map(([place, node]) => [place, Object.fromEntries(Object.entries(node).reverse())]),
	);
	const digests = [
		npmEntry(npm_lock, ["@s/a"], "linux-x64"),
		npmEntry({ packages: turned }, ["@s/a"], "darwin-arm64"),
	].map((entry) => entry.ok && entry.value.digest);
	assert.equal(new Set(digests).size, 1);
	const other = structuredClone(npm_lock);
	other.packages["node_modules/@s/a/node_modules/b"].version = "2.0.1";
	const changed = npmEntry(other, ["@s/a"], "linux-x64");
	assert(changed.ok && changed.value.digest !== digests[0]);
});

test("a package without a checksum, and a lock of an unknown form, are refused", () => {
	const bare = { packages: { "node_modules/a": { version: "1.0.0" } } };
	const unsigned = npmEntry(bare, ["a"], "p");
	assert(!unsigned.ok && unsigned.problem.kind === "no_checksum");
	const linked = { packages: { "node_modules/a": { link: true, integrity: "sha512-x" } } };
	for (const lock of [undefined, null, {}, { packages: {} }, linked]) {
		const entry = npmEntry(lock, ["a"], "p");
		assert(!entry.ok && entry.problem.kind === "other");
	}
});

const compiled = [
	"# made by uv",
	"the-tool==1.2.0 \\",
	"    --hash=sha256:bb \\",
	"    --hash=sha256:aa",
	"    # via -r requirements.in",
	"cffi==2.1.1 ; platform_python_implementation != 'PyPy' \\",
	"    --hash=sha256:cc",
	"",
].join("\n");
const where = { platform: "linux-x64", python: "3.12" };

test("what uv compiles becomes an entry, and that the same requirements again", () => {
	const entry = pythonEntry(compiled, "The_Tool==1.2.0", where);
	assert(entry.ok);
	const { digest, ...rest } = entry.value;
	assert.match(digest, /^sha256-/u);
	assert.deepEqual(rest, {
		ecosystem: "pypi",
		name: "the-tool",
		version: "1.2.0",
		integrity: "sha256:aa sha256:bb",
		...where,
		tree: {
			"the-tool==1.2.0": ["sha256:aa", "sha256:bb"],
			"cffi==2.1.1 ; platform_python_implementation != 'PyPy'": ["sha256:cc"],
		},
	});
	const again = pythonEntry(pythonRequirements(entry.value), "the-tool", where);
	assert.deepEqual(again, entry);
});

test("requirements that are not exact or have no checksum are refused", () => {
	const bare = pythonEntry("the-tool==1.2.0\n", "the-tool", where);
	assert(!bare.ok && bare.problem.kind === "no_checksum");
	const texts = [
		"",
		"the-tool>=1 --hash=sha256:aa\n",
		"the-tool @ http://x/a.whl --hash=sha256:aa\n",
		"-e . --hash=sha256:aa\n",
		"other==1 --hash=sha256:aa\n",
		"the-tool==1 --hash=sha256:nothexadecimal\n",
	];
	for (const text of texts) {
		const entry = pythonEntry(text, "the-tool", where);
		assert(!entry.ok && entry.problem.kind === "other", text);
	}
});
