import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { seccomp_filters } from "../src/hosting/sandbox/seccomp-filters.ts";
import { repository_root } from "./lib/paths.ts";
import type { Step } from "./seccomp/assembler.ts";
import { assemble } from "./seccomp/assembler.ts";
import type { Architecture } from "./seccomp/filter.ts";
import { makeFilter } from "./seccomp/filter.ts";
import { allow, audit, judge } from "./seccomp/judge.ts";
import { filtersModule } from "./seccomp/module.ts";
import {
	clone,
	clone3,
	denied,
	ioctl,
	path_attributes,
	prlimit,
	sendmmsg,
	sendmsg,
	sendto,
	shared_objects,
	socket,
	socketpair,
	unshare,
} from "./seccomp/syscalls.ts";

const architectures: readonly Architecture[] = ["x64", "arm64"];

const eperm = "errno 1";
const enosys = "errno 38";

test("the filters that are shipped are those that the list makes", () => {
	const path = join(repository_root, "src/hosting/sandbox/seccomp-filters.ts");
	assert.equal(readFileSync(path, "utf8"), filtersModule(), "run: node tools/seccomp.ts");
	for (const architecture of architectures) {
		const shipped = Buffer.from(seccomp_filters[architecture] ?? "", "base64");
		assert.deepEqual(shipped, makeFilter(architecture));
	}
});

for (const architecture of architectures) {
	describe(`the filter for ${architecture}`, () => {
		const filter = makeFilter(architecture);
		const ask = (number: number | undefined, args: number[] = []) =>
			judge(filter, audit[architecture], number ?? -1, args);

		test("denies everything on the list, and says nothing of what does not exist", () => {
			for (const syscall of denied) {
				const number = syscall[architecture];
				if (number !== undefined) assert.equal(ask(number), eperm, syscall.name);
			}
		});

		test("allows every other number", () => {
			const numbers = new Set(denied.map((syscall) => syscall[architecture]));
			numbers.add(clone3[architecture]);
			for (let number = 0; number < 600; number += 1) {
				if (!numbers.has(number)) assert.equal(ask(number), allow, `number ${number}`);
			}
		});

		test("lets threads and processes be made, but no namespace", () => {
			const thread = 0x3d0f00;
			assert.equal(ask(clone[architecture], [thread]), allow);
			assert.equal(ask(clone[architecture], [17]), allow);
			assert.equal(ask(unshare[architecture], [0x400]), allow);
			const flags = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000];
			for (const flag of flags) {
				assert.equal(ask(clone[architecture], [flag | 17]), eperm);
				assert.equal(ask(unshare[architecture], [flag]), eperm);
			}
			assert.equal(ask(unshare[architecture], [0x80]), eperm);
			assert.equal(ask(clone3[architecture]), enosys);
		});

		test("lets sockets of every family be made but host sockets and the crypto API", () => {
			for (const family of [1, 2, 10, 16]) {
				assert.equal(ask(socket[architecture], [family, 1]), allow);
			}
			for (const family of [38, 40]) {
				assert.equal(ask(socket[architecture], [family, 1]), "errno 97");
			}
		});

		test("lets terminals be set up, but nothing be typed into them", () => {
			assert.equal(ask(ioctl[architecture], [0, 0x5401]), allow);
			assert.equal(ask(ioctl[architecture], [0, 0x5412]), eperm);
			assert.equal(ask(ioctl[architecture], [0, 0x541c]), eperm);
		});

		test("knows no system calls of other architectures", () => {
			assert.equal(judge(filter, 0x40000003, 1), enosys);
			const other = architecture === "x64" ? audit.arm64 : audit.x64;
			assert.equal(judge(filter, other, 1), enosys);
			if (architecture === "x64") assert.equal(ask(0x40000001), enosys);
		});
	});
}

test("the numbers are those of the machine's own headers", (t) => {
	const places = {
		x64: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
		arm64: "/usr/include/asm-generic/unistd.h",
	};
	if (!Object.values(places).every((place) => existsSync(place))) {
		t.skip("the kernel's headers are not installed (package linux-libc-dev)");
		return;
	}
	const single = [clone, clone3, unshare, socket, ioctl, socketpair, prlimit];
	const sending = [sendto, sendmsg, sendmmsg];
	const known = [...denied, ...shared_objects, ...path_attributes, ...single, ...sending];
	for (const architecture of architectures) {
		const text = readFileSync(places[architecture], "utf8");
		for (const syscall of known) {
			const number = syscall[architecture];
			const found = new RegExp(`#define __NR_${syscall.name}\\s+(\\d+)`, "u").exec(text)?.[1];
			if (number !== undefined && found !== undefined) {
				assert.equal(Number(found), number, `${syscall.name} on ${architecture}`);
			}
		}
	}
});

describe("the assembler", () => {
	const end: Step = { op: "return", value: 0 };

	test("turns labels into distances", () => {
		const bytes = assemble([
			{ op: "if_equal", value: 7, then: "far" },
			{ op: "return", value: 1 },
			{ op: "label", name: "far" },
			end,
		]);
		assert.equal(
			bytes.toString("hex"),
			"1500010007000000" + "0600000001000000" + "0600000000000000",
		);
	});

	test("refuses what the kernel would refuse", () => {
		assert.throws(() => assemble([]), /too few/u);
		assert.throws(
			() => assemble([{ op: "if_equal", value: 1, then: "nowhere" }, end]),
			/no label/u,
		);
		const label: Step = { op: "label", name: "here" };
		assert.throws(() => assemble([label, label, end]), /twice/u);
		assert.throws(
			() => assemble([label, end, { op: "if_equal", value: 1, then: "here" }, end]),
			/backward/u,
		);
		const many = Array.from({ length: 256 }, () => end);
		assert.throws(
			() => assemble([{ op: "if_equal", value: 1, then: "here" }, ...many, label, end]),
			/too long/u,
		);
	});
});
