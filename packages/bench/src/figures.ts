/** What is found out, in a form that can be printed, drawn and kept. */
import { quantile } from "./statistics.js";

export interface Figure {
  readonly id: string;
  readonly title: string;
  readonly better: "lower" | "higher";
  /** What this project means to reach. */
  readonly goal?: number;
  readonly unit: string;
  /** How it was measured. */
  readonly method: string;
  /** It is about ways to build this, not about what others have built. */
  readonly aside?: boolean;
  readonly values: readonly Value[];
}

export interface Value {
  readonly contender: string;
  readonly kind: "ours" | "raw" | "floor" | "peer";
  readonly value: number;
  /** Between which a half of the rounds lie. */
  readonly low?: number;
  readonly high?: number;
}

export function valueOf(
  contender: { readonly name: string; readonly kind: Value["kind"] },
  rounds: readonly number[],
): Value {
  return {
    contender: contender.name,
    kind: contender.kind,
    value: quantile(rounds, 0.5),
    low: quantile(rounds, 0.25),
    high: quantile(rounds, 0.75),
  };
}
