// Numbers and values in words.

/** @type {(n: number) => string} */
export const grouped = (n) => Math.round(n).toLocaleString("en");

/** @type {(share: number, digits?: number) => string} */
export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;

/** @type {(n: number, one: string, many?: string) => string} */
export const plural = (n, one, many = `${one}s`) => `${grouped(n)} ${n === 1 ? one : many}`;

/**
 * Numbers as short as they can be told apart: 0.25, 48,000, 1e−5.
 * @type {(value: number) => string}
 */
export const short = (value) => {
  if (value !== 0 && Math.abs(value) < 1e-3) return value.toExponential().replace("-", "−");
  return Math.abs(value) >= 1000 ? grouped(value) : String(Number(value.toPrecision(4)));
};

/** @type {(text: string) => string} */
export const capital = (text) => text[0].toUpperCase() + text.slice(1);

/**
 * Python's way to write a value, for the call that repeats a state.
 * @type {(value: any) => string}
 */
export const python = (value) => {
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "string" ? JSON.stringify(value) : String(value);
};
