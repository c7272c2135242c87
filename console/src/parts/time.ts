const UNITS: readonly [number, string][] = [
  [60, "s"],
  [60, "min"],
  [24, "h"],
  [14, "d"],
  [Infinity, "weeks"],
];

/// "3 min ago", "in 2 h"; "now" within five seconds.
export function relative(at: number, now: number): string {
  let amount = Math.abs(at - now) / 1000;
  if (amount < 5) return "now";
  for (const [size, unit] of UNITS) {
    if (amount < size) {
      const text = `${at > now ? Math.round(amount) : Math.trunc(amount)} ${unit}`;
      return at > now ? `in ${text}` : `${text} ago`;
    }
    amount /= unit === "d" ? 7 : size;
  }
  return exact(at);
}

/// Exact to the second, in the reader's zone, with the zone said.
export function exact(at: number): string {
  return new Date(at).toLocaleString("en-GB", { year: "numeric", month: "short", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });
}

/// A span between two moments: "340 ms", "2.4 s", "5 min 10 s".
export function span(millis: number): string {
  if (millis < 1000) return `${Math.round(millis)} ms`;
  if (millis < 60_000) return `${(millis / 1000).toFixed(millis < 10_000 ? 1 : 0)} s`;
  const minutes = Math.floor(millis / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((millis % 60_000) / 1000)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

/// An ISO 8601 duration in words: "PT10M" is "10 min".
export function duration(iso: string | undefined): string {
  const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(iso ?? "");
  if (!parts) return iso ?? "";
  const [, days, hours, minutes, seconds] = parts;
  return [days && `${days} d`, hours && `${hours} h`, minutes && `${minutes} min`, seconds && `${seconds} s`].filter(Boolean).join(" ") || "0 s";
}

export function bytes(size: number): string {
  if (size < 1024) return `${size} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = size;
  let unit = "B";
  for (const next of units) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
}

const NUMBER = new Intl.NumberFormat("en");
export const count = (n: number): string => NUMBER.format(n);
/// "1 device", "3 devices".
export const many = (n: number, one: string, more = `${one}s`): string => `${count(n)} ${n === 1 ? one : more}`;
