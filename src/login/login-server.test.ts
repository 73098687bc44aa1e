import assert from "node:assert/strict";
import { test } from "node:test";
import { authorization, pkce, startLogin } from "../../test/support/login-scene.ts";
import type { LoginPlan } from "../config/plan-login.ts";

const plan: LoginPlan = {
	accounts: true,
	registration: false,
	client_documents: [],
	scopes: [],
	dpop_nonces: "off",
	federated: [],
};

test("it is switched off and on while it runs, and does its hourly work once", async (t) => {
	const scene = await startLogin(plan);
	t.after(() => scene.close());
	const statusOf = async () => {
		const response = await fetch(authorization(scene, pkce().challenge), { redirect: "manual" });
		await response.text();
		return response.status;
	};
	const { pending } = scene.clock;
	assert.ok(pending > 0);
	for (let times = 0; times < 3; times += 1) {
		await scene.login.use(undefined);
		assert.equal(scene.clock.pending, pending - 1);
		assert.equal(await statusOf(), 404);
		await Promise.all([scene.login.use(plan), scene.login.use({ ...plan, registration: true })]);
		assert.equal(scene.clock.pending, pending);
		// Nobody knows the client, which is said by a page of the library.
		assert.equal(await statusOf(), 400);
	}
	scene.login.stop();
	await scene.login.use(undefined);
	await scene.login.use(plan);
	assert.equal(scene.clock.pending, pending - 1);
});
