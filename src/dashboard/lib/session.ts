import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Reply } from "./api.ts";

/** Who is signed in. */
export type Session = Reply<"getSession">;

/** What a page may know of the person who looks at it. */
export const SessionContext = createContext<Session | undefined>(undefined);

/** Who is signed in, and whether they may do something. */
export function useSession(): Session {
	const session = useContext(SessionContext);
	if (session === undefined) throw new Error("nobody is signed in here");
	return session;
}

/** Why somebody may not do what these roles may; undefined: they may. */
export function whyNot(session: Session, ...roles: readonly string[]): string | undefined {
	const may = session.roles.some((role) => role === "admin" || roles.includes(role));
	if (may) return undefined;
	const wanted = ["admin", ...roles].join(" or ");
	return `This needs the role ${wanted}; you have ${session.roles.join(", ")}.`;
}

/** True for whoever has one of these roles, or may everything. */
export function hasRole(session: Session, ...roles: readonly string[]): boolean {
	return whyNot(session, ...roles) === undefined;
}
