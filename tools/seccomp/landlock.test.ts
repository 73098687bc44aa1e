import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { landlock_filters } from "../../src/hosting/sandbox/seccomp-filters.ts";
import { type Architecture, type Door, makeAttributesFilter, makeDoorFilter } from "./filter.ts";
import { allow, audit, judge } from "./judge.ts";
import type { Syscall } from "./syscalls.ts";
import {
	listen,
	path_attributes,
	prlimit,
	sendmmsg,
	sendmsg,
	sendto,
	shared_objects,
	socket,
	socketpair,
} from "./syscalls.ts";

const architectures: readonly Architecture[] = ["x64", "arm64"];
const doors: readonly Door[] = ["closed", "proxied", "open"];
const no_family = "errno 97";
const eperm = "errno 1";
const [unix, inet, inet6, netlink, vsock] = [1, 2, 10, 16, 40];
const [stream, datagram, raw, packets] = [1, 2, 3, 5];
const flags = 0o2004000;

for (const architecture of architectures) {
	const asker = (filter: Buffer) => (syscall: Syscall, args: number[]) =>
		judge(filter, audit[architecture], syscall[architecture] ?? -1, args);

	for (const door of doors) {
		describe(`the filter of a ${door} network for ${architecture}`, () => {
			const filter = makeDoorFilter(architecture, door);
			const ask = asker(filter);

			test("is the one that is shipped", () => {
				const shipped = Buffer.from(landlock_filters[architecture]?.[door] ?? "", "base64");
				assert.deepEqual(shipped, filter);
			});

			test("lets sockets be made as far as the network is open", () => {
				for (const family of [inet, inet6]) {
					const tcp = door === "closed" ? no_family : allow;
					assert.equal(ask(socket, [family, stream | flags, 0]), tcp);
					assert.equal(ask(socket, [family, stream, 6]), tcp);
					const rest = door === "open" ? allow : no_family;
					assert.equal(ask(socket, [family, datagram | flags, 17]), rest);
					assert.equal(ask(socket, [family, raw, 1]), rest);
					assert.equal(ask(socket, [family, stream, 262]), rest, "MPTCP");
				}
			});

			test("leads to no service of the machine, whatever the network is", () => {
				for (const type of [stream, datagram, packets]) {
					assert.equal(ask(socket, [unix, type | flags, 0]), no_family);
				}
				assert.equal(ask(socket, [vsock, stream, 0]), no_family);
				assert.equal(ask(socket, [netlink, raw | flags, 0]), allow);
				for (const kind of [4, 9, 15]) {
					assert.equal(ask(socket, [netlink, raw, kind]), no_family);
				}
			});

			test("lets pairs be made that can be connected to nothing else", () => {
				assert.equal(ask(socketpair, [unix, stream | flags, 0]), allow);
				assert.equal(ask(socketpair, [unix, packets, 0]), allow);
				for (const type of [datagram, raw]) {
					assert.equal(ask(socketpair, [unix, type | flags, 0]), no_family);
				}
			});

			test("keeps off what all programs share, and the limits of others", () => {
				for (const syscall of shared_objects) assert.equal(ask(syscall, []), eperm, syscall.name);
				assert.equal(ask(prlimit, [0, 7]), allow);
				assert.equal(ask(prlimit, [1, 7]), eperm);
			});

			test("lets nothing connect by sending where ports are held", () => {
				const fast_open = 0x20000000;
				const expected = door === "proxied" ? eperm : allow;
				assert.equal(ask(sendto, [3, 0, 0, fast_open]), expected);
				assert.equal(ask(sendmmsg, [3, 0, 0, fast_open]), expected);
				assert.equal(ask(sendmsg, [3, 0, fast_open]), expected);
				for (const syscall of [sendto, sendmsg, sendmmsg]) {
					assert.equal(ask(syscall, [3, 0, 0x4000, 0x4000]), allow);
				}
			});

			test("lets nothing listen on a port that is given to it where ports are held", () => {
				assert.equal(ask(listen, [3, 5]), door === "proxied" ? eperm : allow);
			});

			test("says nothing to any other number, and knows no other architecture", () => {
				const single = [socket, socketpair, prlimit, ...(door === "proxied" ? [listen] : [])];
				const known = new Set([...shared_objects, ...single].map((call) => call[architecture]));
				for (let number = 0; number < 600; number += 1) {
					if (known.has(number)) continue;
					assert.equal(judge(filter, audit[architecture], number, []), allow, `number ${number}`);
				}
				assert.equal(judge(filter, 0x40000003, 1), "errno 38");
			});
		});
	}

	test(`the filter of attributes for ${architecture} denies changing them by path`, () => {
		const filter = makeAttributesFilter(architecture);
		const shipped = Buffer.from(landlock_filters[architecture]?.attributes ?? "", "base64");
		assert.deepEqual(shipped, filter);
		const denied = new Set(path_attributes.map((syscall) => syscall[architecture]));
		for (let number = 0; number < 600; number += 1) {
			const answer = judge(filter, audit[architecture], number, []);
			assert.equal(answer, denied.has(number) ? eperm : allow, `number ${number}`);
		}
		assert.equal(judge(filter, 0x40000003, 1), "errno 38");
	});
}
