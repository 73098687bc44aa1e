import * as z from "zod";

/** How the gateway is reached from outside: keys at the top of moorage.yaml. */
export const front_schema = z.object({
	public_url: z
		.string()
		.optional()
		.describe(
			"The https address that clients know, such as `https://mcp.example.com`: the base of metadata, audiences and links. Its host and origin are allowed by themselves.",
		),
	trusted_proxies: z
		.array(z.string())
		.default([])
		.describe(
			"Addresses and networks (`127.0.0.1`, `10.0.0.0/8`) of reverse proxies whose `Forwarded` and `X-Forwarded-*` headers are believed. Nobody by default.",
		),
	tls: z
		.strictObject({
			cert: z.string().describe("File of the certificate and its chain, as PEM. Required."),
			key: z.string().describe("File of its private key, as PEM. Required."),
			client_ca: z
				.string()
				.optional()
				.describe(
					"File of the authorities that sign client certificates; see `identity.certificates`.",
				),
		})
		.optional()
		.describe("TLS from files, relative to the folder of this file; read again when they change."),
});
