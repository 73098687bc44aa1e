import assert from "node:assert/strict";
import { test } from "node:test";
import type { CertificatePlan } from "../config/plan-identity.ts";
import { CertificateMap, type PresentedCertificate } from "./certificates.ts";

const leaked: PresentedCertificate = {
	thumbprint: "t",
	fingerprint: "aa",
	common_name: "robot",
	names: [],
};

const entry = (match: CertificatePlan["match"]): CertificatePlan => ({
	name: "robot",
	match,
	tenant: "acme",
	user: "robot",
	roles: [],
	scopes: undefined,
});

test("whoever came with a certificate is somebody as long as the entry takes that one", () => {
	const plan = entry({ kind: "fingerprint", value: "aa" });
	const found = new CertificateMap([plan]).identify(leaked);
	const robot = found.ok ? found.value : assert.fail("it is known");
	const isStill = (...plans: CertificatePlan[]) => new CertificateMap(plans).isStill(robot);
	assert.equal(isStill(plan), true);
	assert.equal(isStill(entry({ kind: "common_name", value: "robot" })), true);
	assert.equal(isStill(entry({ kind: "fingerprint", value: "bb" })), false);
	assert.equal(isStill({ ...plan, user: "other" }), false);
	assert.equal(isStill({ ...plan, name: "other" }), false);
	assert.equal(isStill(), false);
});
