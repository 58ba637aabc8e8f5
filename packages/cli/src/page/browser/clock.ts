import { useEffect, useState } from "preact/hooks";

/** Our clock, drawn anew once a second. */
export function useNow(): number {
  const [now, setNow] = useState(performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return Math.max(now, 0);
}
