import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { serverPlan } from "../../test/support/fake-house.ts";
import { forkHouse } from "../../test/support/fork-house.ts";
import { Volumes } from "../hosting/volumes.ts";
import { finishPromotions } from "./finish-promotions.ts";

const wanted = new Map([["files", serverPlan("files")]]);

/** A server with two versions, and a fork of it that is being promoted. */
async function promoting(context: TestContext) {
	const house = await forkHouse(context);
	const { data, forks, versions } = house;
	assert.ok((await new Volumes(data).open("files", "", 1)).ok);
	await versions.add(serverPlan("files"), "config", "active");
	const made = await forks.make(serverPlan("files"), "copy");
	assert.ok(made.ok);
	await forks.lend(made.value, true);
	await versions.add(forks.planFor(made.value), "promote", "trial");
	return { ...house, fork: made.value };
}

test("a promotion whose volumes were swapped when the gateway was killed is finished", async (context) => {
	const house = await promoting(context);
	assert.ok((await house.forks.takeOver(house.fork)).ok);
	const { forks, versions } = await house.open();
	await finishPromotions(forks, versions, wanted, house.log);
	assert.deepEqual(
		versions.of("files").map(({ state }) => state),
		["retired", "active"],
	);
	const config_fingerprint = wanted.get("files")?.fingerprint ?? "";
	assert.deepEqual(versions.pin("files"), { server: "files", number: 2, config_fingerprint });
	assert.deepEqual((await house.open()).forks.all(), []);
	assert.ok((await new Volumes(house.data).open("files", "", 1)).ok, "the volumes are its own");
});

test("a promotion that had not come to the volumes leaves the fork as it was", async (context) => {
	const house = await promoting(context);
	const { forks, versions } = await house.open();
	await finishPromotions(forks, versions, wanted, house.log);
	assert.equal(forks.find("copy")?.server, "files");
	assert.equal(versions.active("files")?.number, 1);
	assert.equal(versions.pin("files"), undefined);
});

test("a fork whose server is gone from the configuration is forgotten with it", async (context) => {
	const house = await promoting(context);
	assert.ok((await house.forks.takeOver(house.fork)).ok);
	const { forks, versions } = await house.open();
	await finishPromotions(forks, versions, new Map(), house.log);
	assert.deepEqual(forks.all(), []);
	assert.equal(versions.pin("files"), undefined);
});

test("a fork without volumes that was never promoted stays, and that is told", async (context) => {
	const house = await promoting(context);
	const { data, log } = house;
	await house.versions.change("files", 2, { state: "failed", reason: "It did not start." });
	await rm(join(data, "volumes", "copy"), { recursive: true });
	const { forks, versions } = await house.open();
	await finishPromotions(forks, versions, wanted, log);
	assert.equal(forks.find("copy")?.server, "files");
	assert.equal(versions.active("files")?.number, 1);
	assert.match(JSON.stringify(log), /has lost its volumes/);
});

test("a promotion of before the fork was made is none of its own", async (context) => {
	const house = await promoting(context);
	const { data, fork, log } = house;
	assert.ok((await house.forks.takeOver(fork)).ok);
	await finishPromotions(house.forks, house.versions, wanted, log);
	await house.clock.advance(1_000);
	assert.ok((await house.forks.make(serverPlan("files"), "later")).ok);
	await rm(join(data, "volumes", "later"), { recursive: true });
	const { forks, versions } = await house.open();
	await finishPromotions(forks, versions, wanted, log);
	assert.equal(forks.find("later")?.server, "files");
	assert.equal(versions.of("files").length, 2);
});
