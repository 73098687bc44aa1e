import type { Long } from "./tables.ts";

/** Tables of alerts. */
export interface AlertTables {
	call_aggregates: CallAggregateTable;
	alerts: AlertTable;
	alert_silences: AlertSilenceTable;
	alert_deliveries: AlertDeliveryTable;
}

/** Calls or events of one minute or hour, added up by what they are about. */
interface CallAggregateTable {
	width: string;
	kind: string;
	start_ms: Long;
	subject: string;
	calls: Long;
	errors: Long;
	latencies: string;
	note: string;
}

/** One alert; its body is JSON. */
interface AlertTable {
	id: string;
	rule: string;
	subject: string;
	state: string;
	since_ms: Long;
	body: string;
}

/** A silence. */
interface AlertSilenceTable {
	id: string;
	rule: string;
	subject: string;
	until_ms: Long;
	reason: string;
	created_by: string;
	created_at_ms: Long;
}

/** What one channel is to be told. */
interface AlertDeliveryTable {
	id: string;
	alert_id: string;
	channel: string;
	body: string;
	attempts: number;
	next_try_at_ms: Long;
	state: string;
	problem: string | null;
}
