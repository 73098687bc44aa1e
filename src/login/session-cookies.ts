/** Cookies by which the authorization server knows in which browser somebody has logged in. */

/** Name of the one that holds the id of the login. */
export function sessionCookie(issuer: string): string {
	return isSecure(issuer) ? "__Host-moorage_login" : "moorage_login";
}

/** The id of a login in a `Cookie` header. */
export function sessionIn(header: string | undefined, issuer: string): string | undefined {
	const prefix = `${sessionCookie(issuer)}=`;
	const found = (header ?? "").split(/; */).find((one) => one.startsWith(prefix));
	const id = found?.slice(prefix.length);
	return id !== undefined && /^[\w-]{16,128}$/.test(id) ? id : undefined;
}

/** The `Set-Cookie` lines that take the cookies of a login away, its signature's, too. */
export function clearedSession(issuer: string): string[] {
	const name = sessionCookie(issuer);
	const rest = `Path=/; HttpOnly; SameSite=Lax; Max-Age=0${isSecure(issuer) ? "; Secure" : ""}`;
	return [`${name}=; ${rest}`, `${name}.sig=; ${rest}`];
}

function isSecure(issuer: string): boolean {
	return issuer.startsWith("https://");
}
