import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { sandboxed } from "../../../test/support/sandboxed.ts";
import { landlockDoor, landlockGap, landlockLine, landlockNote } from "./landlock.ts";

const root = mkdtempSync(join(tmpdir(), "moorage-landlock-"));
after(() => rmSync(root, { recursive: true }));

const tools = {
	path: "/data/confine",
	version: 7,
	layout: { folders: [], links: [], settings: [], passwd: "", group: "" },
	filters: { base: "/b", closed: "/c", proxied: "/p", open: "/o", attributes: "/a" },
	reason: "bubblewrap is not installed",
};

test("the launcher is told of paths, of the network, of the filters and of the program", () => {
	const rules = [
		{ kind: "read", path: "/usr" },
		{ kind: "write", path: "/volume" },
		{ kind: "device", path: "/dev/null" },
	] as const;
	const told = (plan: Omit<Parameters<typeof landlockLine>[0], "tools">) => {
		const { program, args } = landlockLine({ tools, ...plan }, "/bin/it", ["-o", "--"]);
		return [program, ...args].join(" ");
	};
	assert.equal(
		told({ rules, door: "closed", keeps_attributes: true }),
		"/data/confine -r /usr -w /volume -d /dev/null -f /b -f /c -f /a -- /bin/it -o --",
	);
	assert.equal(
		told({ rules: [], door: "open", keeps_attributes: false }),
		"/data/confine -o -f /b -f /o -- /bin/it -o --",
	);
	assert.equal(
		told({ rules: [], door: "proxied", port: 3128, keeps_attributes: false }),
		"/data/confine -c 3128 -f /b -f /p -- /bin/it -o --",
	);
});

test("a server that must be shut off needs TCP and signals to be held back", () => {
	for (const version of [1, 3]) {
		assert.match(landlockGap(version, true) ?? "", /not TCP before version 4/u);
	}
	for (const version of [4, 5]) {
		assert.equal(landlockGap(version, true), undefined);
		assert.match(landlockGap(version, false) ?? "", /signals before version 6/u);
	}
	assert.equal(landlockGap(6, false), undefined);
});

test("the network is open only to a trusted server that has it open", () => {
	const closed = [
		sandboxed(root),
		sandboxed(root, { egress: { kind: "public" } }),
		sandboxed(root, { egress: { kind: "open" } }, { untrusted: true }),
	];
	for (const confinement of closed) assert.equal(landlockDoor(confinement).door, "closed");
	assert.equal(landlockDoor(sandboxed(root, { egress: { kind: "open" } })).door, "open");
});

test("a person is told what is missing, and no more than that", () => {
	assert.match(landlockNote(tools, true), /because bubblewrap is not installed\./u);
	assert.match(landlockNote(tools, true), /no \/tmp and network interfaces of its own/u);
	assert.match(landlockNote(tools, false), /no \/tmp, processes and network/u);
	assert.doesNotMatch(landlockNote(tools, false), /can signal/u);
	assert.match(landlockNote({ ...tools, version: 5 }, false), /can signal other processes/u);
	assert.doesNotMatch(landlockNote({ ...tools, version: 5 }, true), /can signal/u);
});
