import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { needs_chromium } from "../../support/browser.ts";
import { assertLooks, type DashboardScene, startDashboard } from "../../support/dashboard-scene.ts";
import { stdioFixture } from "../../support/gateway.ts";

const here = { skip: needs_chromium };

describe("asking the rules", () => {
	let scene: DashboardScene;
	let page: Page;

	before(async () => {
		if (needs_chromium !== false) return;
		scene = await startDashboard({
			servers: { billing: stdioFixture("ledger") },
			policy: [
				{
					name: "only clerks refund",
					tool: "billing__refund",
					when: "'clerk' in principal.roles",
					else: "deny",
				},
				{ name: "large refunds", tool: "billing__refund", when: "args.amount > 100", then: "ask" },
				{ risk: "destructive", then: "deny", message: "Nothing is deleted from here." },
			],
		});
		({ page } = scene);
		await scene.visit("#/servers/billing/tools", "billing");
		await page.getByRole("heading", { name: "refund" }).first().waitFor();
		await scene.visit("#/people/rules", "People and access");
	});
	after(() => scene?.stop());

	const asked = () => page.getByRole("region", { name: "Ask the rules" });
	const ask = async (who: string, roles: string, tool: string, args: string) => {
		await asked().getByLabel("Who", { exact: false }).first().fill(who);
		await asked().getByLabel("With the roles", { exact: false }).fill(roles);
		await asked().getByLabel("Calls").selectOption(`billing ${tool}`);
		await asked().getByLabel("With the arguments", { exact: false }).fill(args);
		await asked().getByRole("button", { name: "May they?" }).click();
	};

	test(
		"a call that nothing is against is allowed, and every rule says what it did",
		here,
		async () => {
			await ask("acme/ana", "clerk", "refund", '{"amount": 100}');
			await asked().getByText("Yes", { exact: true }).waitFor();
			await asked().getByText("Lists show it to them.").waitFor();
			await asked().getByRole("listitem").filter({ hasText: "only clerks refund" }).waitFor();
			await asked().getByRole("listitem").filter({ hasText: "large refunds" }).waitFor();
			await assertLooks(page, "rules-allow");
		},
	);

	test(
		"a call that is denied names the rule, and what its caller would be told",
		here,
		async () => {
			await ask("acme/bo", "", "refund", '{"amount": 100}');
			await asked().getByText("No", { exact: true }).waitFor();
			await asked().getByText("by only clerks refund").waitFor();
			await asked()
				.getByText('The rule "only clerks refund" does not allow this call.')
				.first()
				.waitFor();
			await ask("acme/ana", "clerk", "delete_entry", '{"id": "a"}');
			await asked().getByText("Nothing is deleted from here.").first().waitFor();
			await asked().getByText("Lists do not show it to them.").waitFor();
		},
	);

	test("a call that a person has to agree to says so, and which rule wants it", here, async () => {
		await ask("acme/ana", "clerk", "refund", '{"amount": 101}');
		await asked().getByText("A person is asked", { exact: true }).waitFor();
		await asked().getByText("by large refunds").waitFor();
		await assertLooks(page, "rules-ask", [["dark", 375]]);
	});

	test("a number beyond what the browser holds is judged as it was typed", here, async () => {
		await ask("acme/ana", "clerk", "refund", '{"amount": 99999999999999999999999}');
		await asked().getByText("A person is asked", { exact: true }).waitFor();
		assert.deepEqual(scene.troubles, []);
	});

	test(
		"arguments that are no object are told at their field, and nothing is asked",
		here,
		async () => {
			await asked().getByLabel("With the arguments", { exact: false }).fill("[1]");
			await asked().getByText("This is no JSON object.").waitFor();
			const field = asked().getByLabel("With the arguments", { exact: false });
			assert.equal(await field.getAttribute("aria-invalid"), "true");
			const button = asked().getByRole("button", { name: "May they?" });
			assert.equal(await button.getAttribute("aria-disabled"), "true");
			assert.equal(await button.getAttribute("title"), "Correct the arguments.");
		},
	);

	test("what the question itself has wrong is told at the field of it", here, async () => {
		const who = asked().getByLabel("Who", { exact: false }).first();
		await who.fill("acme/ana/else");
		await asked().getByText("Write it as tenant/user.").waitFor();
		assert.equal(await who.getAttribute("aria-invalid"), "true");
	});
});
