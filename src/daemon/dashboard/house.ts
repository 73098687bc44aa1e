import type { IncomingMessage, ServerResponse } from "node:http";
import type { AdmissionOptions } from "../../admin/admission.ts";
import { AppFrames } from "../../admin/app-frames.ts";
import { admin_principal } from "../../admin/caller.ts";
import { createFileServer, dashboardFolder, type FileServer } from "../../admin/dashboard-files.ts";
import { DashboardSessions } from "../../admin/dashboard-sessions.ts";
import type { LiveEvents } from "../../admin/live.ts";
import type { CookieOptions } from "../../admin/session-cookie.ts";
import { SignInPages } from "../../admin/sign-in-pages.ts";
import type { Catalogs } from "../../catalog/catalogs.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import type { Hosting, ServerStatus } from "../../hosting/hosting.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import type { SecretBox } from "../../secrets/box.ts";
import type { Database } from "../../store/database.ts";
import type { Log } from "../../telemetry/log.ts";
import type { SignInDesk } from "../sign-in-desk.ts";
import { LiveFeed } from "./live-feed.ts";
import { sessionStore } from "./session-store.ts";
import { TrafficCounter } from "./traffic.ts";

/** What the dashboard's own parts are built from. */
export interface DashboardHouseParts {
	readonly clock: Clock;
	readonly random: Random;
	readonly box: SecretBox;
	readonly database: Database;
	readonly live: LiveEvents;
	readonly catalogs: Pick<Catalogs, "onChange">;
	readonly owner_id: string;
	/** The admin token. */
	readonly token: string;
	/** Not before the house is built. */
	gateway(): Gateway;
	hosting(): Hosting;
	url(): string;
	sign_in(): SignInDesk;
	log: Log;
}

/** Everything that is there for the dashboard alone. */
export class DashboardHouse {
	readonly traffic: TrafficCounter;
	readonly frames: AppFrames;
	readonly sessions: DashboardSessions;
	readonly #parts: DashboardHouseParts;
	readonly #feed: LiveFeed;
	readonly #files: FileServer;
	readonly #admission: AdmissionOptions;
	/** Where people sign in, whichever page they came to. */
	readonly door: SignInPages;

	constructor(parts: DashboardHouseParts) {
		const { clock, random, box, database, live } = parts;
		this.#parts = parts;
		this.traffic = new TrafficCounter(clock);
		this.frames = new AppFrames(clock, random);
		this.sessions = new DashboardSessions({
			clock,
			random,
			box,
			store: sessionStore(database),
		});
		this.#feed = new LiveFeed(clock, live, this.traffic, () => parts.hosting());
		this.#files = createFileServer(dashboardFolder());
		this.#admission = this.#admissionOptions();
		this.door = new SignInPages(this.#admission);
	}

	/** What the admin API is given of it. */
	parts() {
		const { traffic, frames } = this;
		const dashboardLink = (token: string) => this.link(token);
		return { ...this.#admission, traffic, frames, dashboardLink };
	}

	async start(): Promise<void> {
		await this.sessions.restore();
		this.#feed.start();
		this.#parts.catalogs.onChange(({ server }) => this.#feed.onCatalog(server));
	}

	stop(): void {
		this.#feed.stop();
	}

	onState(status: ServerStatus): void {
		this.#feed.onState(status);
	}

	/** Answers requests for the dashboard's files and for frames of MCP Apps. */
	serve(request: IncomingMessage, response: ServerResponse): void {
		if (request.url?.startsWith("/apps/") === true) this.frames.serve(request, response);
		else this.#files(request, response);
	}

	/** The address that opens the dashboard once, signed in as whoever has this credential. */
	link(token: string): string {
		return `${this.#parts.url()}/#/link/${token}`;
	}

	/**
	 * Where the person who starts the gateway finds the dashboard. As long as no browser is signed
	 * in, and there is no other way to sign in than the admin token, the address does that, once.
	 */
	address(has_identity: boolean): string {
		if (has_identity || this.sessions.list().length > 0) return `${this.#parts.url()}/`;
		const holder = { kind: "credential", credential: this.#parts.token } as const;
		return this.link(this.sessions.makeLink(holder, admin_principal.id));
	}

	/** How cookies of this gateway's pages are made. */
	get cookies(): CookieOptions {
		return this.#admission;
	}

	/** Answers requests for the pages on which people sign in. */
	serveSignIn(request: IncomingMessage, response: ServerResponse): void {
		this.door.serve(request, response).catch((error: unknown) => {
			this.#parts.log.error({ err: error }, "signing in failed");
			response.destroy();
		});
	}

	/** What decides who may use the admin API, and who is signed in on the other pages. */
	#admissionOptions(): AdmissionOptions {
		const { token, owner_id, clock, random, gateway, sign_in } = this.#parts;
		return {
			...{ token, clock, random },
			sessions: this.sessions,
			sign_in: {
				ways: () => sign_in().ways(),
				logIn: (...given) => sign_in().logIn(...given),
				begin: (...given) => sign_in().begin(...given),
				finish: (...given) => sign_in().finish(...given),
				leave: (...given) => sign_in().leave(...given),
			},
			obstacle: (who) => gateway().apiObstacle(who),
			person: (holder) => sign_in().person(holder),
			cookie_name: `moorage_session_${owner_id.replaceAll("-", "").slice(-8)}`,
			isSecure: () => gateway().is_encrypted,
			identify(credential, request, again) {
				const authorization = request?.headers.authorization ?? `Bearer ${credential}`;
				return gateway().identify(authorization, request, again);
			},
		};
	}
}
