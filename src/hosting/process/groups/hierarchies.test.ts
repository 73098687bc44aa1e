import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseHierarchies } from "./hierarchies.ts";

/** A line of mountinfo, with what matters here. */
function mount(root: string, point: string, type: string, options: string): string {
	return `30 23 0:26 ${root} ${point} rw,nosuid shared:9 - ${type} cgroup rw,${options}`;
}

test("a machine of version 2 has one hierarchy", () => {
	const mountinfo = [
		"22 28 0:20 / /proc rw,nosuid - proc proc rw",
		mount("/", "/sys/fs/cgroup", "cgroup2", "nsdelegate,memory_recursiveprot"),
	].join("\n");
	assert.deepEqual(parseHierarchies(mountinfo, "0::/system.slice/moorage.service\n"), [
		{
			version: 2,
			controllers: [],
			folder: "/sys/fs/cgroup/system.slice/moorage.service",
			mount: "/sys/fs/cgroup",
		},
	]);
});

test("a machine of both versions has a hierarchy for each set of controllers", () => {
	const mountinfo = [
		mount("/", "/sys/fs/cgroup/memory", "cgroup", "memory"),
		mount("/", "/sys/fs/cgroup/cpu,cpuacct", "cgroup", "cpu,cpuacct"),
		mount("/", "/sys/fs/cgroup/systemd", "cgroup", "xattr,name=systemd"),
		mount("/", "/sys/fs/cgroup/unified", "cgroup2", "nsdelegate"),
	].join("\n");
	const groups = ["9:cpu,cpuacct:/", "4:memory:/mine/too", "1:name=systemd:/", "0::/"].join("\n");
	assert.deepEqual(
		parseHierarchies(mountinfo, groups).map(({ version, controllers, folder }) => [
			version,
			controllers.join(),
			folder,
		]),
		[
			[1, "memory", "/sys/fs/cgroup/memory/mine/too"],
			[1, "cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct"],
			[2, "", "/sys/fs/cgroup/unified"],
		],
	);
});

test("in a container the mount shows only the container's part", () => {
	const groups = "4:memory:/docker/abc/app\n";
	const inside = mount("/docker/abc", "/sys/fs/cgroup/memory", "cgroup", "memory");
	assert.equal(parseHierarchies(inside, groups)[0]?.folder, "/sys/fs/cgroup/memory/app");
	const elsewhere = mount("/docker/other", "/sys/fs/cgroup/memory", "cgroup", "memory");
	assert.deepEqual(parseHierarchies(elsewhere, groups), []);
	const above = mount("/", "/sys/fs/cgroup/memory", "cgroup", "memory");
	assert.deepEqual(parseHierarchies(above, "4:memory:/../outside\n"), []);
});

test("a hierarchy that is mounted twice is used once, and spaces in paths are understood", () => {
	const mountinfo = [
		mount("/", "/sys/fs/my\\040groups", "cgroup2", "nsdelegate"),
		mount("/", "/elsewhere", "cgroup2", "nsdelegate"),
	].join("\n");
	assert.deepEqual(
		parseHierarchies(mountinfo, "0::/\n").map(({ folder }) => folder),
		["/sys/fs/my groups"],
	);
});

test("wherever a group is below a mount's top, its folder is as far below the mount", () => {
	const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/u);
	const path = fc.array(name, { maxLength: 4 });
	fc.assert(
		fc.property(path, path, (top, below) => {
			const mountinfo = mount(`/${top.join("/")}`, "/groups", "cgroup2", "nsdelegate");
			const groups = `0::/${[...top, ...below].join("/")}\n`;
			const folder = ["/groups", ...below].join("/");
			assert.equal(parseHierarchies(mountinfo, groups)[0]?.folder, folder);
		}),
	);
});

test("whatever the files say, reading them does not throw, and no folder leaves its mount", () => {
	const word = fc.constantFrom(
		"cgroup",
		"cgroup2",
		"-",
		"/",
		"/..",
		"/a/../..",
		"rw,memory",
		"0::/a",
	);
	const line = fc.array(fc.oneof(word, fc.string()), { maxLength: 12 }).map((all) => all.join(" "));
	const text = fc.array(line, { maxLength: 6 }).map((lines) => lines.join("\n"));
	fc.assert(
		fc.property(text, text, (mountinfo, groups) => {
			for (const { folder, mount: point } of parseHierarchies(mountinfo, groups)) {
				assert(folder.startsWith(point.replace(/\/+$/u, "")) || point.includes(".."), folder);
			}
		}),
	);
});
