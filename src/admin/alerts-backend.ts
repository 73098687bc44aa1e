import type {
	AlertDetails,
	AlertsList,
	AlertsTest,
	NewSilenceRequest,
	SilenceView,
} from "./contracts/alerts.ts";

/** What the admin API can see and do of alerts. */
export interface AlertsBackend {
	list(): Promise<AlertsList>;
	find(id: string): Promise<AlertDetails | undefined>;
	silence(request: NewSilenceRequest, who: string): Promise<SilenceView>;
	/** False where there is no silence of that id. */
	unsilence(id: string): Promise<boolean>;
	/** Tells every channel of an alert that is only a test. */
	test(who: string): Promise<AlertsTest>;
}
