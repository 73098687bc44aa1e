import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { ApprovalRequest } from "../../src/approvals/approval.ts";
import { Approvals } from "../../src/approvals/approvals.ts";
import { box_key_bytes, SecretBox } from "../../src/secrets/box.ts";
import { sampleRequest } from "./approval-samples.ts";
import { FakeClock } from "./fake-clock.ts";
import { SeededRandom } from "./seeded-random.ts";
import { openTestStore } from "./test-store.ts";

/** Approvals in a store of their own, at a time that stands still. */
export async function approvalStore(t: TestContext) {
	const clock = new FakeClock();
	const random = new SeededRandom(7);
	const store = await openTestStore(clock);
	t.after(() => store.database.close());
	const box = new SecretBox(random.bytes(box_key_bytes), random);
	const onTrouble = (error: unknown) => {
		throw error;
	};
	const { approvals: repository } = store.repositories;
	const make = () => new Approvals({ clock, random, repository, box, onTrouble });
	const approvals = make();
	t.after(() => approvals.close());
	const open = async (request: ApprovalRequest = sampleRequest()) => {
		const opened = await approvals.open(request);
		assert.ok(opened.ok, opened.ok ? "" : opened.problem);
		return opened.value;
	};
	return { clock, store, approvals, make, open, repository };
}
