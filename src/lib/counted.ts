/** `1 call`, `2 calls`: a number with what it counts. */
export function counted(number: number, one: string, many = `${one}s`): string {
	return `${number} ${number === 1 ? one : many}`;
}
