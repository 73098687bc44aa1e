import type { z } from "zod";
import * as evidence from "./contracts/evidence.ts";

/** Names of the schemas of evidence in the API's document. */
export const evidence_components: Readonly<Record<string, z.ZodType>> = {
	LoggedCall: evidence.call_line_schema,
	CallsPage: evidence.calls_page_schema,
	AuditedCall: evidence.audited_call_schema,
	EraseRequest: evidence.erase_schema,
	Erased: evidence.erased_schema,
	AuditVerification: evidence.verification_schema,
	EvidenceStatus: evidence.evidence_status_schema,
};
