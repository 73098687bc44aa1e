import type { z } from "zod";
import * as secrets from "./contracts/secrets.ts";

/** Component names of the vault's schemas in the OpenAPI document. */
export const secret_components: Readonly<Record<string, z.ZodType>> = {
	Secret: secrets.secret_schema,
	Secrets: secrets.secrets_schema,
	SetSecret: secrets.set_secret_schema,
	ChangedSecret: secrets.changed_secret_schema,
	RotateMasterKey: secrets.rotate_master_schema,
	RotatedMasterKey: secrets.rotated_master_schema,
	SecretFinding: secrets.secret_finding_schema,
	SecretFindings: secrets.secret_findings_schema,
};
