const ESCAPE = "\u001b";
const STYLES = new RegExp(`${ESCAPE}\\[\\d+m`, "g");

/** Whatever is too wide for a terminal of 80 columns. */
export function tooWide(output: string): string[] {
  const lines = output.replaceAll(STYLES, "").split(/\r?\n/);
  return lines.filter((line) => line.length > 80);
}
