import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressKind, isLoopbackHost, isNowhere, literalAddress } from "./addresses.ts";

test("addresses of smaller networks are known in every spelling", () => {
	const kinds = {
		"8.8.8.8": "public",
		"::ffff:8.8.8.8": "public",
		"2606:4700::1111": "public",
		"127.9.9.9": "loopback",
		"::1": "loopback",
		"0:0:0:0:0:0:0:1": "loopback",
		"::ffff:127.0.0.1": "loopback",
		"::ffff:7f00:1": "loopback",
		"169.254.169.254": "link-local",
		"168.63.129.16": "link-local",
		"::ffff:168.63.129.16": "link-local",
		"168.63.129.17": "public",
		"::ffff:a9fe:a9fe": "link-local",
		"fe80::1": "link-local",
		"fe80::1%eth0": "link-local",
		"10.1.2.3": "private",
		"172.31.255.255": "private",
		"192.168.0.1": "private",
		"100.64.0.1": "private",
		"0.0.0.0": "private",
		"224.0.0.1": "private",
		"255.255.255.255": "private",
		"::": "private",
		"::7f00:1": "private",
		"::ffff:0:127.0.0.1": "private",
		"64:ff9b::7f00:1": "private",
		"64:ff9b:1::a00:1": "private",
		"2002:7f00:1::": "private",
		"2001:0:1::": "private",
		"2001:db8::1": "private",
		"fd00:ec2::254": "private",
		"fec0::1": "private",
		"ff02::1": "private",
		"4000::1": "private",
	};
	for (const [address, kind] of Object.entries(kinds)) {
		assert.equal(addressKind(address), kind, address);
	}
});

test("addresses that stand for no host are known in every spelling", () => {
	const spellings = [
		"0.0.0.0",
		"0.255.0.1",
		"::",
		"0:0::0",
		"::%lo",
		"::ffff:0.0.0.0",
		"::ffff:0:1",
	];
	for (const address of spellings) assert.equal(isNowhere(address), true, address);
	for (const address of ["1.0.0.0", "::1", "127.0.0.1", "10.0.0.0", "::ffff:1.0.0.0", "0", ""]) {
		assert.equal(isNowhere(address), false, address);
	}
});

test("what is no address, or is bound to one interface, is not public", () => {
	for (const text of ["", "example.com", "1.2.3", "010.0.0.1", "2606:4700::1%eth0", "[::1]"]) {
		assert.notEqual(addressKind(text), "public", text);
	}
});

test("an IPv4 address is judged the same inside an IPv6 one", () => {
	fc.assert(
		fc.property(fc.ipV4(), (address) => {
			assert.equal(addressKind(`::ffff:${address}`), addressKind(address));
		}),
	);
});

test("no address of the well-known translation prefixes is public, whatever it carries", () => {
	const part = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
	const prefixes = fc.constantFrom("64:ff9b::", "64:ff9b:1::", "2002:", "::", "::ffff:0:");
	fc.assert(
		fc.property(prefixes, part, part, (prefix, high, low) => {
			const tail = prefix === "2002:" ? "::" : "";
			assert.notEqual(addressKind(`${prefix}${high}:${low}${tail}`), "public");
		}),
	);
});

test("every judgement is one of four, for any text", () => {
	const any = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string());
	fc.assert(
		fc.property(any, (text) => {
			assert.ok(["public", "loopback", "private", "link-local"].includes(addressKind(text)));
		}),
	);
});

test("outside 2000::/3 no IPv6 address is public, but for those that carry IPv4", () => {
	fc.assert(
		fc.property(fc.ipV6(), (address) => {
			if (addressKind(address) !== "public") return;
			assert.match(address, /^([23][0-9a-f]{3}:|.*ffff:)/i);
		}),
	);
});

test("the host of a URL is an address or a name", () => {
	assert.equal(literalAddress("[::1]"), "::1");
	assert.equal(literalAddress("127.0.0.1"), "127.0.0.1");
	assert.equal(literalAddress("example.com"), undefined);
	assert.equal(isLoopbackHost("localhost"), true);
	assert.equal(isLoopbackHost("a.localhost"), true);
	assert.equal(isLoopbackHost("localhost."), true);
	assert.equal(isLoopbackHost("[::1]"), true);
	assert.equal(isLoopbackHost("localhost.example.com"), false);
});
