import assert from "node:assert/strict";
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { confinement } from "../../../test/support/hosted-child.ts";
import type { Confinement } from "../../upstreams/driver.ts";
import { installCommandFor } from "./layout.ts";
import type { Mount } from "./mounts.ts";
import { planMounts } from "./mounts.ts";
import { isTooWide, isWithin } from "./protection.ts";

const root = realpathSync(await mkdtemp(join(tmpdir(), "moorage-mounts-")));
after(() => rm(root, { recursive: true }));
let count = 0;

/** A home with a project, whose data folder lies in it. */
function scene() {
	count += 1;
	const home = join(root, String(count));
	const project = join(home, "project");
	const data_dir = join(project, ".moorage");
	const program = make(join(home, "tools", "bin", "tool"));
	const protection = { data_dir, hidden: [make(join(project, "moorage.yaml"))], home };
	const confined = confinement(join(data_dir, "it"));
	const plan = async (more: Partial<Confinement> = {}, args: string[] = [], cwd = project) => {
		const whole = { ...confined, ...more };
		const place = { protection, program, args, cwd, env: {}, freezes_program: true };
		const request = { confinement: whole, ...place };
		return (await planMounts(request)).mounts.map(told);
	};
	const own = [`write ${join(data_dir, "it/temp")}`, `write ${join(data_dir, "it/volume")}`];
	return { home, project, data_dir, program, confined, plan, own };
}

function make(path: string): string {
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, "");
	return path;
}

function told({ kind, path, target }: Mount): string {
	return `${kind} ${path}${target === undefined ? "" : ` -> ${target}`}`;
}

describe("what a server sees", () => {
	test("is its project without the gateway's files, its program, and its own folders", async () => {
		const { plan, project, data_dir, home, own } = scene();
		assert.deepEqual(await plan(), [
			`read ${project}`,
			`hide ${data_dir}`,
			...own,
			`hide ${join(project, "moorage.yaml")}`,
			`read ${join(home, "tools")}`,
		]);
	});

	test("is not a home, whoever starts there", async () => {
		const { plan, home, own } = scene();
		assert.deepEqual(await plan({}, [], home), [...own, `read ${join(home, "tools")}`]);
	});

	test("is not a home either because a program lies in it", async () => {
		const { plan, home, project, own } = scene();
		const mounts = await plan({ needs: [home] }, [], join(project, ".moorage"));
		assert(!mounts.includes(`read ${home}`), mounts.join());
		assert(own.every((mount) => mounts.includes(mount)));
	});

	test("is a package in the data folder, over what hides that", async () => {
		const { plan, data_dir } = scene();
		const place = join(data_dir, "packages", "p");
		mkdirSync(place, { recursive: true });
		const mounts = await plan({ needs: [place] });
		assert(mounts.indexOf(`hide ${data_dir}`) < mounts.indexOf(`read ${place}`), mounts.join());
	});

	test("is a folder under each of its names", async () => {
		const { plan, home, confined } = scene();
		mkdirSync(join(home, "real"));
		symlinkSync(join(home, "real"), join(home, "alias"));
		const sandbox = { ...confined.sandbox, write: [join(home, "alias")] };
		const mounts = await plan({ sandbox });
		assert(mounts.includes(`write ${join(home, "real")}`), mounts.join());
		assert.equal(mounts.at(-1), `link ${join(home, "alias")} -> ${join(home, "real")}`);
	});

	test("is writable where one place says so, although another implies that it is read", async () => {
		const { plan, project, confined } = scene();
		const sandbox = { ...confined.sandbox, bind_arguments: true };
		const mounts = await plan({ sandbox }, ["."]);
		assert(mounts.includes(`write ${project}`), mounts.join());
		assert(!mounts.includes(`read ${project}`), mounts.join());
	});

	test("is the package of a script that is named in its arguments, to be read", async () => {
		const { plan, home } = scene();
		const script = make(join(home, "app", "dist", "index.js"));
		make(join(home, "app", "package.json"));
		mkdirSync(join(home, "app", "node_modules"));
		const mounts = await plan({}, [script]);
		assert(mounts.includes(`read ${join(home, "app")}`), mounts.join());
	});

	test("has every folder before what lies in it", async () => {
		const { plan, project } = scene();
		mkdirSync(join(project, "a", "b"), { recursive: true });
		const paths = (await plan({ needs: [join(project, "a", "b")] })).map(
			(mount) => mount.split(" ")[1] ?? "",
		);
		for (const [index, path] of paths.entries()) {
			assert(!paths.slice(0, index).some((earlier) => isWithin(earlier, path)), paths.join());
		}
	});
});

test("a folder is too wide that holds what many own, and no other", () => {
	const protection = { home: "/srv/people/ada" };
	for (const path of [
		"/",
		"/home",
		"/home/bob",
		"/srv/people",
		"/srv/people/ada",
		"/tmp",
		"/etc",
	]) {
		assert(isTooWide(path, protection), path);
	}
	for (const path of ["/srv/people/ada/project", "/home/bob/work", "/tmp/x", "/opt/tool"]) {
		assert(!isTooWide(path, protection), path);
	}
});

test("a path lies in a folder by its parts, not by its letters", () => {
	assert(isWithin("/a/b", "/a") && isWithin("/a", "/a") && isWithin("/a/..b", "/a"));
	assert(!isWithin("/ab", "/a") && !isWithin("/", "/a") && !isWithin("/a", "/a/b"));
});

test("the command that installs bubblewrap is that of the system", () => {
	const commands = {
		"ID=debian\n": "apt-get install bubblewrap",
		'NAME=x\nID=linuxmint\nID_LIKE="ubuntu debian"\n': "apt-get install bubblewrap",
		'ID="rocky"\nID_LIKE="rhel centos fedora"\n': "dnf install bubblewrap",
		"ID=alpine\n": "apk add bubblewrap",
		"ID=plan9\n": "install the package bubblewrap",
		"": "install the package bubblewrap",
	};
	for (const [text, command] of Object.entries(commands)) {
		assert.equal(installCommandFor(text), command);
	}
});
