import assert from "node:assert/strict";
import { test } from "node:test";
import { serverPlan } from "../../test/support/fake-house.ts";
import type { PackageIdentity } from "../hosting/resolved.ts";
import { compareOffers } from "./offer.ts";

const plan = serverPlan("files", {}, 1);

function identity(change: Partial<PackageIdentity>): PackageIdentity {
	const known = { kind: "npm", name: "x", version: "1.0.0", integrity: undefined } as const;
	return { ...known, digest: "sha256-a", ...change };
}

function catalog(version: string) {
	const server_info = JSON.stringify({ name: "x", version });
	return { server: "files", fingerprint: "f", server_info } as never;
}

function changesOf(before: Partial<PackageIdentity>, after: Partial<PackageIdentity>) {
	const old = { identity: identity(before), catalog: undefined };
	const now = { identity: identity(after), catalog: catalog("1.0.0") };
	return compareOffers(old, now, plan).changes;
}

test("another package is named with both of its versions, and the same one not at all", () => {
	assert.deepEqual(changesOf({}, {}), []);
	const newer = { version: "1.1.0", digest: "sha256-b" };
	assert.deepEqual(changesOf({}, newer), ["package x 1.0.0 -> 1.1.0"]);
	const other = { ...newer, name: "y" };
	assert.deepEqual(changesOf({}, other), ["package x 1.0.0 -> y 1.1.0"]);
});

test("the same version may come with other versions of what it needs", () => {
	const changes = changesOf({}, { digest: "sha256-b" });
	assert.deepEqual(changes, ["package x 1.0.0 with other versions of what it needs"]);
});

test("images are told by their digests, programs by their contents", () => {
	const image = { kind: "image", version: undefined, name: "y:1" } as const;
	assert.deepEqual(
		changesOf(
			{ ...image, integrity: `sha256:${"a".repeat(64)}` },
			{ ...image, integrity: `sha256:${"b".repeat(64)}`, digest: "sha256-b" },
		),
		[`image y:1 sha256:${"a".repeat(12)} -> sha256:${"b".repeat(12)}`],
	);
	const program = { kind: "program", version: undefined, name: "/bin/x" } as const;
	assert.match(
		changesOf(program, { ...program, digest: "sha256-b" })[0] ?? "",
		/^program \/bin\/x/,
	);
});

test("a server of which nothing is known is compared with nothing", () => {
	const before = { identity: undefined, catalog: undefined };
	const after = { identity: identity({}), catalog: catalog("2.0.0") };
	assert.deepEqual(compareOffers(before, after, plan), { changes: [], warnings: [] });
});

test("as many differences are listed as people read, and the rest is counted", () => {
	// differences_max
	const offering = (count: number) => ({
		identity: undefined,
		catalog: {
			...(catalog("1.0.0") as object),
			tools: Array.from({ length: count }, (_, at) => ({
				name: `t${at}`,
				bytes: Buffer.from("{}"),
			})),
			resources: [],
			templates: [],
			prompts: [],
		} as never,
	});
	const linesOf = (count: number) => compareOffers(offering(0), offering(count), plan).changes;
	for (const count of [499, 500]) assert.equal(linesOf(count).length, count);
	assert.match(linesOf(500).at(-1) ?? "", /^tool "t\d+" was added$/);
	assert.equal(linesOf(501).length, 501);
	assert.equal(linesOf(501).at(-1), "and 1 more differences");
	const lost = compareOffers(offering(501), offering(0), plan);
	assert.equal(lost.warnings.length, 1, "what is not listed breaks clients, too");
});
