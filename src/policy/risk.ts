import type { RiskClass } from "../protocol/risk.ts";

/**
 * How risky a tool is, from what its server says of it (tools, annotations). Hints that are
 * absent have the specification's defaults: not read-only, destructive.
 */
export function riskFromAnnotations(annotations: Readonly<Record<string, unknown>>): RiskClass {
	if (annotations["readOnlyHint"] === true) return "read";
	return annotations["destructiveHint"] === false ? "reversible" : "destructive";
}
