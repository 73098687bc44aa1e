/** Certificate files for TLS. Absolute paths; they are read again when they change. */
export interface TlsPlan {
	readonly cert: string;
	readonly key: string;
	/** Authorities that sign client certificates; undefined: none are asked for. */
	readonly client_ca: string | undefined;
}

/** How the gateway is reached from outside. */
export interface FrontPlan {
	/** Origin that clients know it by, without a slash at the end; undefined: as they ask. */
	readonly public_url: string | undefined;
	/** Addresses and networks (`10.0.0.0/8`) whose `Forwarded` and `X-Forwarded-*` are believed. */
	readonly trusted_proxies: readonly string[];
	/** Undefined: TLS does not end here. */
	readonly tls: TlsPlan | undefined;
}
