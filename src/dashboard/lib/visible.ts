import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

const shown = new WeakMap<Element, (visible: boolean) => void>();
let observer: IntersectionObserver | undefined;

/** Whether an element is on the screen, or near it. */
export function useVisible(element: RefObject<HTMLElement | null>): boolean {
	const [visible, setVisible] = useState(false);
	useEffect(() => {
		const { current } = element;
		if (current === null) return undefined;
		observer ??= new IntersectionObserver(
			(entries) => {
				for (const { target, isIntersecting } of entries) shown.get(target)?.(isIntersecting);
			},
			{ rootMargin: "300px" },
		);
		shown.set(current, setVisible);
		observer.observe(current);
		return () => observer?.unobserve(current);
	}, []);
	return visible;
}
