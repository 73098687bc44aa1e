/**
 * What a tool can do to the world, from harmless to irreversible. `visible`: others see it
 * happen; `costly`: it spends money or much of something.
 */
export const risk_classes = ["read", "reversible", "costly", "visible", "destructive"] as const;

/** One of the risk classes. */
export type RiskClass = (typeof risk_classes)[number];
