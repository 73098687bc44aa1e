import type { AdmissionOptions } from "./admission.ts";
import type { LiveEvents } from "./live.ts";

/** What the admin API needs beside its backend. */
export interface AdminApiOptions extends AdmissionOptions {
	/** Where live news go. */
	readonly live: LiveEvents;
	/** The address that opens the dashboard with a one-time link. */
	dashboardLink(token: string): string;
	/** Whether people are told apart on MCP addresses. */
	hasIdentity(): boolean;
	/** Moorage's own version, for the OpenAPI document. */
	readonly version: string;
	/** Largest body of a tool call; other bodies are small. */
	readonly call_bytes_max: number;
	/** Ends every stream when the gateway stops. */
	readonly signal: AbortSignal;
	/** A defect of ours; the id stands in the answer too. */
	onDefect(error: unknown, error_id: string): void;
}
