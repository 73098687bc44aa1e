/**
 * What every container of ours carries, so that it is found again by whoever comes after a
 * gateway that died, and so that nobody else's container is ever touched.
 */
export const labels = {
	/** The data folder's id: the same for every gateway that runs on it. */
	owner: "dev.moorage.owner",
	/** One run of a gateway. */
	run: "dev.moorage.run",
	/** Which of the run's containers it is. */
	number: "dev.moorage.number",
	server: "dev.moorage.server",
	instance: "dev.moorage.instance",
} as const;
