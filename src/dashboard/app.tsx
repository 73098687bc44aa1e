import type { ComponentType, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { call, onSessionOver, setCsrf } from "./lib/api.ts";
import { connectNews, disconnectNews, onConnection } from "./lib/events.ts";
import { forgetAll } from "./lib/query.ts";
import { goTo, linkTo, type Place, usePlace } from "./lib/router.ts";
import { hasRole, type Session, SessionContext } from "./lib/session.ts";
import { currentTheme, nextTheme } from "./lib/theme.ts";
import { AddPage } from "./pages/add.tsx";
import { AlertsPage } from "./pages/alerts.tsx";
import { ApprovalsPage } from "./pages/approvals.tsx";
import { AuditPage } from "./pages/audit.tsx";
import { CallsPage } from "./pages/calls.tsx";
import { FleetPage } from "./pages/fleet.tsx";
import { HealthPage } from "./pages/health.tsx";
import { MinePage } from "./pages/mine.tsx";
import { PeoplePage } from "./pages/people.tsx";
import { PlaygroundPage } from "./pages/playground.tsx";
import { ServerPage } from "./pages/server.tsx";
import { SettingsPage } from "./pages/settings.tsx";
import { SignIn } from "./pages/sign-in.tsx";
import { Icon, type IconName, Mark } from "./ui/icons.tsx";
import { Button, Empty, Loading } from "./ui/parts.tsx";
import { Toasts } from "./ui/toasts.tsx";

interface PageEntry {
	readonly id: string;
	readonly title: string;
	readonly icon: IconName;
	/** Who sees it, beside admins. */
	readonly roles: readonly string[];
	readonly page: ComponentType<{ place: Place }>;
	/** False for pages that others lead to. */
	readonly listed?: boolean;
}

const pages: readonly PageEntry[] = [
	{ id: "fleet", title: "Fleet", icon: "fleet", roles: ["operator", "auditor"], page: FleetPage },
	{
		id: "servers",
		title: "Server",
		icon: "fleet",
		roles: ["operator", "auditor"],
		page: ServerPage,
		listed: false,
	},
	{ id: "add", title: "Add a server", icon: "add", roles: [], page: AddPage },
	{
		id: "playground",
		title: "Playground",
		icon: "play",
		roles: ["operator"],
		page: PlaygroundPage,
	},
	{
		id: "approvals",
		title: "Approvals",
		icon: "approvals",
		roles: ["operator", "auditor", "approver", "member"],
		page: ApprovalsPage,
	},
	{ id: "calls", title: "Calls", icon: "calls", roles: ["operator", "auditor"], page: CallsPage },
	{
		id: "people",
		title: "People and access",
		icon: "people",
		roles: ["operator", "auditor"],
		page: PeoplePage,
	},
	{
		id: "mine",
		title: "My connections",
		icon: "mine",
		roles: ["operator", "auditor", "approver", "member"],
		page: MinePage,
	},
	{
		id: "alerts",
		title: "Alerts",
		icon: "alerts",
		roles: ["operator", "auditor"],
		page: AlertsPage,
	},
	{ id: "audit", title: "Audit", icon: "audit", roles: ["operator", "auditor"], page: AuditPage },
	{ id: "settings", title: "Configuration", icon: "settings", roles: [], page: SettingsPage },
	{
		id: "health",
		title: "Health",
		icon: "health",
		roles: ["operator", "auditor"],
		page: HealthPage,
	},
];

/** The whole dashboard. */
export function App(): JSX.Element {
	const place = usePlace();
	const [session, setSession] = useState<Session | undefined>(undefined);
	const [state, setState] = useState<"starting" | "out" | "over" | "in">("starting");
	const link = place.parts[0] === "link" ? place.parts[1] : undefined;
	const enter = (found: Session) => {
		setCsrf(found.csrf);
		// Somebody else may have been here before.
		if (session !== undefined && session.principal !== found.principal) forgetAll();
		setSession(found);
		setState("in");
		connectNews();
		if (window.location.hash.startsWith("#/link/")) {
			window.history.replaceState(null, "", "#/");
			window.dispatchEvent(new HashChangeEvent("hashchange"));
		}
	};
	useEffect(() => {
		onSessionOver(() => {
			disconnectNews();
			setState((before) => (before === "in" ? "over" : "out"));
		});
		if (link === undefined) call("getSession").then(enter, () => setState("out"));
		else setState("out");
	}, []);
	const leave = () => {
		const gone = () => {
			disconnectNews();
			forgetAll();
			setSession(undefined);
			setState("out");
			goTo();
		};
		call("endSession").then(({ elsewhere }) => {
			gone();
			// Whoever came from a provider would be signed in again there without being asked.
			if (elsewhere !== undefined) window.location.assign(elsewhere.url);
		}, gone);
	};
	if (state === "starting") return <Loading what="Signing in" />;
	const door = <SignIn link={link} again={state === "over"} onDone={enter} />;
	if (session === undefined || state === "out") return door;
	// What was typed stays where it is, behind the door, for the same person.
	return (
		<SessionContext.Provider value={session}>
			{state === "over" ? <div class="over">{door}</div> : null}
			<div hidden={state === "over"}>
				<Frame key={session.principal} session={session} place={place} onLeave={leave} />
			</div>
			<Toasts />
		</SessionContext.Provider>
	);
}

/** Where one begins: the fleet, or what is one's own where that is all there is to see. */
function firstOf(shown: readonly { readonly id: string }[]): string | undefined {
	const [first] = shown;
	return first?.id === "fleet" ? "fleet" : (shown.find(({ id }) => id === "mine") ?? first)?.id;
}

function Frame(props: { session: Session; place: Place; onLeave(): void }): JSX.Element {
	const { session, place, onLeave } = props;
	const mine = pages.filter(({ roles }) => hasRole(session, ...roles));
	const id = place.parts[0] ?? firstOf(mine);
	const entry = mine.find((one) => one.id === id);
	const [open, setOpen] = useState(false);
	const main = useRef<HTMLElement>(null);
	const where = place.parts.slice(0, 2).join("/");
	const first = useRef(true);
	useEffect(() => {
		setOpen(false);
		document.title = `${place.parts[1] ?? entry?.title ?? "Not found"} · Moorage`;
		// Whoever came by a link or a key stands at the page's beginning, and hears its name.
		if (first.current) {
			first.current = false;
			return;
		}
		window.scrollTo(0, 0);
		main.current?.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
	}, [where]);
	// When somebody can begin, for whoever measures it.
	useEffect(() => void performance.mark("moorage-usable"), []);
	const Page = entry?.page;
	return (
		<>
			<a class="skip" href="#main" onClick={(event) => skipTo(event, main.current)}>
				Skip to the page
			</a>
			<div class="frame">
				<TopBar open={open} onToggle={() => setOpen(!open)} />
				<Side pages={mine} current={id} open={open} session={session} onLeave={onLeave} />
				<div>
					<Offline />
					<main id="main" tabIndex={-1} ref={main}>
						{Page === undefined ? (
							<Empty title="There is no such page">
								<p>It may be one that your roles do not let you see.</p>
								<a href={linkTo(mine[0]?.id ?? "mine")}>Go to {mine[0]?.title}</a>
							</Empty>
						) : (
							<Page place={place} />
						)}
					</main>
				</div>
			</div>
		</>
	);
}

function skipTo(event: Event, main: HTMLElement | null): void {
	event.preventDefault();
	main?.focus();
}

function TopBar({ open, onToggle }: { open: boolean; onToggle(): void }): JSX.Element {
	return (
		<div class="top">
			<a class="brand" href="#/">
				<Mark /> Moorage
			</a>
			<Button
				icon={open ? "close" : "menu"}
				kind="quiet"
				label={open ? "Close the menu" : "Open the menu"}
				onClick={onToggle}
			/>
		</div>
	);
}

interface SideProps {
	readonly pages: readonly PageEntry[];
	readonly current: string | undefined;
	readonly open: boolean;
	readonly session: Session;
	onLeave(): void;
}

function Side({ pages, current, open, session, onLeave }: SideProps): JSX.Element {
	const [theme, setTheme] = useState(currentTheme());
	return (
		<div class={`side ${open ? "open" : ""}`}>
			<a class="brand" href="#/">
				<Mark /> Moorage
			</a>
			<nav aria-label="Pages">
				{pages
					.filter(({ listed }) => listed !== false)
					.map(({ id, title, icon }) => (
						<a
							key={id}
							href={linkTo(id)}
							aria-current={
								id === current || (id === "fleet" && current === "servers") ? "page" : undefined
							}
						>
							<Icon name={icon} /> {title}
						</a>
					))}
			</nav>
			<div class="tail">
				<p class="who muted">
					{session.principal}
					<br />
					{session.roles.join(", ")}
				</p>
				<div class="row">
					<Button icon="sun" kind="quiet" onClick={() => setTheme(nextTheme())}>
						{theme === "auto" ? "As the system" : theme === "dark" ? "Dark" : "Light"}
					</Button>
					<Button icon="out" kind="quiet" onClick={onLeave}>
						Sign out
					</Button>
				</div>
			</div>
		</div>
	);
}

function Offline(): JSX.Element | null {
	const [connected, setConnected] = useState(true);
	useEffect(() => {
		let was = false;
		return onConnection((now) => {
			was ||= now;
			setConnected(now || !was);
		});
	}, []);
	if (connected) return null;
	return (
		<p class="offline" role="status">
			The gateway does not answer right now. What you see may be old; this goes on by itself.
		</p>
	);
}
