import { type Located, member, nodeAt, offsetOf } from "./located.ts";
import type { CertificatePlan } from "./plan-identity.ts";
import { default_tenant, userOf } from "./principal-names.ts";
import type { Report } from "./report.ts";
import type { CertificateForm } from "./schema-identity.ts";

/** Reads `identity.certificates`; entries that fit everything or nothing go to the report. */
export function readCertificates(
	forms: readonly CertificateForm[],
	root: Located,
	report: Report,
): CertificatePlan[] {
	if (forms.length > 0 && member(nodeAt(root, ["tls"]), "client_ca") === undefined) {
		const offset = offsetOf(root, ["identity", "certificates"]);
		const text = "Client certificates are asked for only where TLS ends here.";
		report.problem(offset, text, "Add `tls` with `client_ca`, or remove `certificates`.");
	}
	const names = new Set<string>();
	return forms.flatMap((form, index) => {
		const offset = offsetOf(root, ["identity", "certificates", index]);
		if (names.has(form.name)) {
			const text = `Another certificate is called \`${form.name}\` already.`;
			report.problem(offset, text, "Give each its own name.");
		}
		names.add(form.name);
		const matches = matchesOf(form);
		const [match, second] = matches;
		if (match === undefined || second !== undefined) {
			const text = `\`${form.name}\` has ${matches.length === 0 ? "nothing" : "more than one thing"} to know the certificate by.`;
			const next = "Write one of `fingerprint`, `common_name` and `alternative_name`.";
			report.problem(offset, text, next);
			return [];
		}
		const { name, tenant = default_tenant, user = userOf(name), roles, scopes } = form;
		return [{ name, match, tenant, user, roles, scopes }];
	});
}

function matchesOf(form: CertificateForm): CertificatePlan["match"][] {
	const { fingerprint, common_name, alternative_name } = form;
	const matches: CertificatePlan["match"][] = [];
	if (fingerprint !== undefined) {
		const value = fingerprint
			.replace(/^sha256:/, "")
			.replaceAll(":", "")
			.toLowerCase();
		matches.push({ kind: "fingerprint", value });
	}
	if (common_name !== undefined) matches.push({ kind: "common_name", value: common_name });
	if (alternative_name !== undefined) matches.push({ kind: "name", value: alternative_name });
	return matches;
}
