import type { Schemas } from "../api/client";
import { count } from "./time";

export type Forecast = Schemas["CertificateForecast"];
type Bucket = Forecast["buckets"][number];

export interface Bar {
  readonly key: string;
  /// Of the picture's width and height, 0 to 1.
  readonly x: number;
  readonly width: number;
  readonly height: number;
  /// How much of the height can't be renewed in time.
  readonly late: number;
  readonly words: string;
}

export interface Drawing {
  readonly bars: readonly Bar[];
  /// The top of the picture.
  readonly most: number;
  /// Where one bucket's capacity is, 0 to 1; absent when it lies far above the picture.
  readonly capacity?: number;
  readonly months: readonly { readonly x: number; readonly word: string }[];
}

const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const FULL = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });

/// A bar for each bucket, with the capacity as a rule where it comes near the bars; else it would flatten them.
export function draw(forecast: Forecast): Drawing {
  const buckets = forecast.buckets;
  const highest = Math.max(1, ...buckets.map((b) => b.ending));
  const servable = Math.max(0, ...buckets.map((b) => b.servable));
  const near = servable <= highest * 3;
  const most = nice(near ? Math.max(highest, servable) * 1.08 : highest * 1.08);
  const width = 1 / Math.max(1, buckets.length);
  const every = Math.max(1, Math.ceil(buckets.length / 6));
  return {
    bars: buckets.map((b, i) => ({
      key: b.from,
      x: i * width,
      width,
      height: b.ending / most,
      late: Math.min(b.ending, b.late) / most,
      words: words(b),
    })),
    most,
    ...(near ? { capacity: servable / most } : {}),
    months: buckets.flatMap((b, i) => (i % every === 0 ? [{ x: i * width, word: DAY.format(new Date(b.from)) }] : [])),
  };
}

/// "12 March 2026: 1,240 certificates end; 864,000 renewals can be served."
export function words(bucket: Bucket): string {
  const late = bucket.late > 0 ? ` Up to here ${count(bucket.late)} can’t have been renewed.` : "";
  return `${FULL.format(new Date(bucket.from))}: ${count(bucket.ending)} ${bucket.ending === 1 ? "certificate ends" : "certificates end"}; ${count(bucket.servable)} renewals can be served.${late}`;
}

/// How the capacity stands to the highest bar, when it is not in the picture.
export function capacityWords(forecast: Forecast): string {
  const highest = Math.max(0, ...forecast.buckets.map((b) => b.ending));
  const servable = Math.max(0, ...forecast.buckets.map((b) => b.servable));
  const unit = forecast.stepSeconds >= 604_800 ? "a week" : "a day";
  const times = highest > 0 ? servable / highest : 0;
  return `${count(servable)} ${unit}${times >= 3 ? `, ${count(Math.floor(times))} times the highest bar` : ""}`;
}

/// The next number that a person would write at the top of a scale: 1, 2, 5, 10, 20...
function nice(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  for (const step of [1, 1.5, 2, 3, 4, 5, 6, 8, 10]) if (step * power >= value) return step * power;
  return 10 * power;
}
