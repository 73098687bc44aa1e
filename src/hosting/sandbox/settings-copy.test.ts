import assert from "node:assert/strict";
import {
	appendFileSync,
	chmodSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	renameSync,
	rmSync,
	statSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { type Setting, SettingsCopy } from "./settings-copy.ts";

const own = new Map([["/etc/passwd", "root:x:0:0\n"]]);

/** A machine with a few settings, and their copies in a folder of their own. */
async function machine(context: TestContext) {
	const root = await tempFolder(context);
	const system = join(root, "system");
	const folder = join(root, "etc");
	mkdirSync(join(system, "fonts", "conf.d"), { recursive: true });
	mkdirSync(join(system, "certs"));
	writeFileSync(join(system, "hosts"), "127.0.0.1 localhost\n");
	writeFileSync(join(system, "certs", "ca.pem"), "an authority\n");
	writeFileSync(join(system, "fonts", "fonts.conf"), "<fontconfig/>\n");
	symlinkSync("../fonts.conf", join(system, "fonts", "conf.d", "10-all.conf"));
	const settings: Setting[] = [
		["/etc/fonts", join(system, "fonts")],
		["/etc/hosts", join(system, "hosts")],
		["/etc/localtime", "/usr/share/zoneinfo"],
		["/etc/resolv.conf", join(system, "hosts")],
		["/etc/ssl/certs", join(system, "certs")],
	];
	const copy = new SettingsCopy(folder, settings, own);
	const read = (path: string) => readFileSync(join(folder, path), "utf8");
	return { root, system, folder, settings, copy, read };
}

test("settings are copied as they are, and what is ours is written beside them", async (context) => {
	const { copy, folder, read } = await machine(context);
	assert.equal(copy.refresh()?.folder, folder);
	assert.equal(read("hosts"), "127.0.0.1 localhost\n");
	assert.equal(read("passwd"), "root:x:0:0\n");
	assert.equal(read("fonts/conf.d/10-all.conf"), "<fontconfig/>\n");
	assert.equal(readlinkSync(join(folder, "fonts", "conf.d", "10-all.conf")), "../fonts.conf");
	assert.equal(readlinkSync(join(folder, "localtime")), "/usr/share/zoneinfo", "of the system");
	assert.equal(statSync(join(folder, "hosts")).mode & 0o777, 0o644);
});

test("what says whom to trust is bound as it is, over a place that is empty", async (context) => {
	const { copy, folder, read, settings } = await machine(context);
	assert.deepEqual(copy.refresh()?.live, settings.slice(3));
	assert.equal(read("resolv.conf"), "");
	assert.deepEqual(readdirSync(join(folder, "ssl", "certs")), []);
});

test("what changes on the machine is changed in the copies before the next start", async (context) => {
	const { copy, system, folder, read } = await machine(context);
	copy.refresh();
	const { ino } = statSync(join(folder, "fonts", "fonts.conf"));
	const long_ago = new Date(0);
	const changes: [change: () => void, path: string, text: string | undefined][] = [
		[
			() => appendFileSync(join(system, "hosts"), "::1 six\n"),
			"hosts",
			"127.0.0.1 localhost\n::1 six\n",
		],
		[
			() => {
				writeFileSync(join(system, "hosts.new"), "replaced\n");
				renameSync(join(system, "hosts.new"), join(system, "hosts"));
			},
			"hosts",
			"replaced\n",
		],
		[
			() => {
				writeFileSync(join(system, "hosts"), "as long!\n");
				utimesSync(join(system, "hosts"), long_ago, long_ago);
			},
			"hosts",
			"as long!\n",
		],
		[() => writeFileSync(join(system, "fonts", "conf.d", "new"), "new"), "fonts/conf.d/new", "new"],
		[() => rmSync(join(system, "fonts", "conf.d", "new")), "fonts/conf.d/new", undefined],
		[() => rmSync(join(system, "hosts")), "hosts", undefined],
		[() => writeFileSync(join(system, "hosts"), "back"), "hosts", "back"],
	];
	for (const [change, path, text] of changes) {
		change();
		assert.ok(copy.refresh() !== undefined);
		if (text === undefined) assert.throws(() => read(path), /ENOENT/);
		else assert.equal(read(path), text);
	}
	assert.equal(statSync(join(folder, "fonts", "fonts.conf")).ino, ino, "the rest is let be");
});

test("a link that leads elsewhere, and a file in the place of a folder, are copied anew", async (context) => {
	const { copy, system, folder, read } = await machine(context);
	copy.refresh();
	const link = join(system, "fonts", "conf.d", "10-all.conf");
	rmSync(link);
	symlinkSync("/usr/share/other.conf", link);
	copy.refresh();
	assert.equal(readlinkSync(join(folder, "fonts/conf.d/10-all.conf")), "/usr/share/other.conf");
	rmSync(join(system, "fonts", "conf.d"), { recursive: true });
	writeFileSync(join(system, "fonts", "conf.d"), "a file");
	copy.refresh();
	assert.equal(read("fonts/conf.d"), "a file");
	rmSync(join(system, "fonts", "conf.d"));
	mkdirSync(join(system, "fonts", "conf.d"));
	copy.refresh();
	assert.deepEqual(readdirSync(join(folder, "fonts", "conf.d")), []);
});

test("what not everybody may read on the machine is not copied, until everybody may", async (context) => {
	const { copy, system, folder, read } = await machine(context);
	const secret = join(system, "fonts", "key.pem");
	writeFileSync(secret, "a key");
	chmodSync(secret, 0o640);
	copy.refresh();
	assert.deepEqual(readdirSync(join(folder, "fonts")), ["conf.d", "fonts.conf"]);
	chmodSync(secret, 0o644);
	copy.refresh();
	assert.equal(read("fonts/key.pem"), "a key");
	chmodSync(secret, 0o600);
	copy.refresh();
	assert.deepEqual(readdirSync(join(folder, "fonts")), ["conf.d", "fonts.conf"]);
});

test("a setting that is too large is bound as it is", async (context) => {
	const { copy, system, settings } = await machine(context);
	writeFileSync(join(system, "hosts"), Buffer.alloc(1024 * 1024));
	assert.ok(copy.refresh()?.live.every(([path]) => path !== "/etc/hosts"));
	appendFileSync(join(system, "hosts"), "x");
	assert.deepEqual(copy.refresh()?.live, [settings[1], ...settings.slice(3)]);
	for (let at = 0; at < 2_000; at += 1) writeFileSync(join(system, "fonts", `${at}.conf`), "");
	assert.deepEqual(copy.refresh()?.live, [settings[0], settings[1], ...settings.slice(3)]);
});

test("a later gateway finds the copies, and removes what is none", async (context) => {
	const { copy, folder, settings, system, read } = await machine(context);
	copy.refresh();
	mkdirSync(join(folder, "ssl", "left"));
	writeFileSync(join(folder, "left"), "");
	const { ino } = statSync(join(folder, "hosts"));
	writeFileSync(join(system, "fonts", "fonts.conf"), "changed meanwhile");
	new SettingsCopy(folder, settings, own).refresh();
	assert.deepEqual(readdirSync(join(folder, "ssl")), ["certs"]);
	assert.deepEqual(readdirSync(folder), [
		"fonts",
		"hosts",
		"localtime",
		"passwd",
		"resolv.conf",
		"ssl",
	]);
	assert.equal(statSync(join(folder, "hosts")).ino, ino);
	assert.equal(read("fonts/fonts.conf"), "changed meanwhile");
});

test("what a killed gateway left half done is in nobody's way", async (context) => {
	const { copy, root, folder, read } = await machine(context);
	const other = join(root, "other");
	writeFileSync(other, "not ours to write");
	mkdirSync(join(folder, "fonts", "fonts.conf.new"), { recursive: true });
	mkdirSync(join(folder, "localtime.new"));
	symlinkSync(other, join(folder, "hosts.new"));
	copy.refresh();
	assert.equal(read("hosts"), "127.0.0.1 localhost\n");
	assert.equal(readFileSync(other, "utf8"), "not ours to write");
	assert.deepEqual(readdirSync(join(folder, "fonts")), ["conf.d", "fonts.conf"]);
	assert.equal(readlinkSync(join(folder, "localtime")), "/usr/share/zoneinfo");
});

test("where the copies cannot be written there are none, and later there are", async (context) => {
	const { copy, root, folder } = await machine(context);
	writeFileSync(folder, "in the way");
	assert.equal(copy.refresh(), undefined);
	rmSync(join(root, "etc"));
	assert.equal(copy.refresh()?.folder, folder);
});
