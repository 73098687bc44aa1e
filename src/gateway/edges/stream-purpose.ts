/** What a recorded stream was opened for; kept with it across restarts. */
export type StreamPurpose =
	| { readonly kind: "push" }
	/** `id` is the request's raw JSON id. */
	| { readonly kind: "call"; readonly id: string; readonly method: string };

/** The purpose as text. */
export function formatPurpose(purpose: StreamPurpose): string {
	return JSON.stringify(purpose);
}

/** The purpose behind its text; only text of `formatPurpose` is ever stored. */
export function parsePurpose(text: string): StreamPurpose {
	return JSON.parse(text) as StreamPurpose;
}
