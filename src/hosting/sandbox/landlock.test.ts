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
	assert.equal(
		told({ rules: [], door: "proxied", keeps_attributes: false, witness: ["/see", "-w", "0"] }),
		"/see -w 0 /data/confine -f /b -f /p -- /bin/it -o --",
		"a witness stands outside of what holds the program",
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

const loopback = { port: 4001, env: { HTTP_PROXY: "http://127.0.0.1:4001" } };
const way = { binds: [], prefix: [], env: {}, loopback };

test("the network is open only to a trusted server that has it open", () => {
	const open = sandboxed(root, { egress: { kind: "open" } });
	assert.equal(landlockDoor(open, 7, false).door, "open");
	assert.equal(landlockDoor(open, 7, true).door, "open");
	assert.equal(landlockDoor({ ...open, untrusted: true }, 7, true).door, "closed");
});

test("a proxy is used where TCP can be held to its port, by a server that may have more", () => {
	const public_hosts = sandboxed(root, { egress: { kind: "public" } }, { way });
	const { note, ...door } = landlockDoor(public_hosts, 4, false);
	assert.deepEqual(door, { door: "proxied", way: loopback, witness: undefined });
	assert.match(note, /by TCP to port 4001 past it/u);
	for (const [confined, version, is_required] of [
		[public_hosts, 3, false],
		[public_hosts, 7, true],
		[{ ...public_hosts, way: undefined }, 7, false],
		[{ ...public_hosts, way: { ...way, loopback: undefined } }, 7, false],
	] as const) {
		assert.equal(landlockDoor(confined, version, is_required).door, "closed");
	}
});

test("what is tried past the proxy is seen where Landlock holds TCP back, and that is said", () => {
	const witness = { path: "/data/forward", socket_path: "/data/1.sock" };
	const plan = { egress: { kind: "public" } } as const;
	const seen = sandboxed(root, plan, { way: { ...way, witness } });
	const proxied = landlockDoor(seen, 4, false);
	assert.deepEqual([proxied.door, proxied.way, proxied.witness], ["proxied", loopback, witness]);
	assert.match(proxied.note, /past its proxy is recorded by address, not by name/u);
	// A closed network has the same door, with a port to nobody.
	const closed = landlockDoor(seen, 4, true);
	assert.deepEqual([closed.door, closed.way, closed.witness], ["proxied", undefined, witness]);
	assert.match(closed.note, /network is closed.* is recorded by address/u);
	for (const [confined, version] of [
		[seen, 3],
		[sandboxed(root, plan, { way }), 4],
	] as const) {
		const blind = landlockDoor(confined, version, true);
		assert.deepEqual([blind.door, blind.witness], ["closed", undefined]);
		assert.match(blind.note, /past its proxy is not recorded/u);
	}
});

test("a person is told what is missing, and no more than that", () => {
	assert.match(landlockNote(tools, true), /because bubblewrap is not installed\./u);
	assert.match(landlockNote(tools, true), /no \/tmp and network interfaces of its own/u);
	assert.match(landlockNote(tools, false), /no \/tmp, processes and network/u);
	assert.doesNotMatch(landlockNote(tools, false), /can signal/u);
	assert.match(landlockNote({ ...tools, version: 5 }, false), /can signal other processes/u);
	assert.doesNotMatch(landlockNote({ ...tools, version: 5 }, true), /can signal/u);
});

test("what Landlock does not do for a server is said of it", () => {
	const layout = { folders: [], links: [], settings: [], passwd: "", group: "" };
	const filters = { base: "", closed: "", proxied: "", open: "", attributes: "" };
	const tools = { path: "/confine", version: 7, layout, filters, reason: "bwrap is missing" };
	const note = landlockNote(tools, true);
	assert.match(note, /restarted when a fork of it is promoted/);
	assert.doesNotMatch(note, /can signal/);
	assert.match(landlockNote({ ...tools, version: 5 }, false), /can signal/);
});
