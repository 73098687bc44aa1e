import { createPrivateKey, type KeyObject, webcrypto } from "node:crypto";
import {
	type AuthorizationServer,
	type ClientAuth,
	ClientSecretPost,
	None,
	PrivateKeyJwt,
} from "oauth4webapi";
import type { OAuthSpec } from "../../../config/plan.ts";
import { OAuthProblem } from "./oauth-problem.ts";
import type { Registration } from "./token-store.ts";

/** How the token endpoint is told who asks (RFC 6749 section 2.3, RFC 7523). */
export async function clientAuth(
	spec: Pick<OAuthSpec, "private_key">,
	server: AuthorizationServer,
	registration: Registration,
): Promise<ClientAuth> {
	const offered = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
	const { client_secret: secret, auth_method } = registration;
	if (spec.private_key !== undefined) return PrivateKeyJwt(await importKey(spec.private_key));
	if (secret === undefined || auth_method === "none") return None();
	// What the registration says holds; else the first that both sides have.
	const method =
		auth_method ?? ["client_secret_basic", "client_secret_post"].find((m) => offered.includes(m));
	if (method === "client_secret_post") return ClientSecretPost(secret);
	if (method === "client_secret_basic") return basic(secret);
	throw new OAuthProblem(
		"Its authorization server takes no client secret. Set `private_key` under `oauth`, " +
			"or remove `client_secret`.",
	);
}

/**
 * RFC 6749 section 2.3.1, with characters that need no encoding left as they are: servers that
 * forget to decode are many, and those that decode read the same.
 */
function basic(secret: string): ClientAuth {
	return (_server, client, _body, headers) => {
		const pair = `${encodeURIComponent(client.client_id)}:${encodeURIComponent(secret)}`;
		headers.set("authorization", `Basic ${Buffer.from(pair).toString("base64")}`);
	};
}

type Algorithm = Parameters<typeof webcrypto.subtle.importKey>[2];

async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
	const key = readKey(pem);
	const der = key.export({ type: "pkcs8", format: "der" });
	return webcrypto.subtle.importKey("pkcs8", new Uint8Array(der), algorithmOf(key), false, [
		"sign",
	]);
}

function readKey(pem: string): KeyObject {
	try {
		return createPrivateKey(pem);
	} catch {
		throw unusableKey();
	}
}

function algorithmOf(key: KeyObject): Algorithm {
	const curves: Readonly<Record<string, string>> = {
		prime256v1: "P-256",
		secp384r1: "P-384",
		secp521r1: "P-521",
	};
	const curve = curves[key.asymmetricKeyDetails?.namedCurve ?? ""];
	if (key.asymmetricKeyType === "ec" && curve !== undefined) {
		return { name: "ECDSA", namedCurve: curve };
	}
	if (key.asymmetricKeyType === "ed25519") return { name: "Ed25519" };
	if (key.asymmetricKeyType === "rsa") return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
	throw unusableKey();
}

function unusableKey(): OAuthProblem {
	return new OAuthProblem(
		"The `private_key` under `oauth` cannot be used. Give an EC, Ed25519 or RSA key as PEM text.",
	);
}
