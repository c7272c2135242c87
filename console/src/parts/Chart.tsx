import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Schemas } from "../api/client";
import { useThemeVersion } from "../shell/theme";

const NUMBER = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

/// One metric: its mean as a line, its least and greatest as a ribbon, its allowed band as two rules; what was imported
/// is drawn dashed.
export function Chart({ series }: { series: Schemas["Series"] }) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [reading, setReading] = useState<string>();
  const theme = useThemeVersion();
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    const element = box.current;
    if (!element || width < 50 || series.at.length === 0) return;
    const colour = (name: string) => {
      element.style.color = `var(${name})`;
      const value = getComputedStyle(element).color;
      element.style.color = "";
      return value;
    };
    const line = colour("--accent");
    const quiet = colour("--ink-2");
    const grid = colour("--line");
    const bad = colour("--bad-fill");
    const wash = colour("--accent-wash");
    const band = series.band;
    const axis: uPlot.Axis = { stroke: quiet, font: '12px "Atkinson Hyperlegible Next Variable"', grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: 4 } };
    const imported = series.imported;
    const live = series.mean.map((v, i) => (imported?.[i] ? null : v));
    const past = series.mean.map((v, i) => (imported?.[i] ? v : null));
    const plot = new uPlot(
      {
        width,
        height: 168,
        padding: [8, 4, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { show: false } },
        scales: {
          y: {
            range: (_, least, most) => {
              // The band is shown when the measurements come near it; else it would flatten them.
              const room = Math.max((most - least) * 0.08, Math.abs(most) * 0.002, 0.001);
              let low = least - room;
              let high = most + room;
              if (band && band.max < high + (high - low)) high = Math.max(high, band.max + room);
              if (band && band.min > low - (high - low)) low = Math.min(low, band.min - room);
              return [low, high];
            },
          },
        },
        axes: [{ ...axis, space: 70, values: (u, splits, _a, _s, increment) => splits.map((s) => clock(s, increment, u)) }, { ...axis, size: 52 }],
        series: [
          {},
          { stroke: "transparent", points: { show: false } },
          { stroke: "transparent", points: { show: false } },
          { stroke: line, width: 1.5, points: { show: false }, spanGaps: false },
          { stroke: quiet, width: 1.2, dash: [4, 3], points: { show: false }, spanGaps: false },
        ],
        bands: [{ series: [2, 1], fill: wash }],
        hooks: {
          draw: [
            (u) => {
              if (!band) return;
              const { ctx, bbox } = u;
              ctx.save();
              ctx.strokeStyle = bad;
              ctx.lineWidth = devicePixelRatio;
              ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
              for (const limit of [band.min, band.max]) {
                const y = u.valToPos(limit, "y", true);
                if (y < bbox.top || y > bbox.top + bbox.height) continue;
                ctx.beginPath();
                ctx.moveTo(bbox.left, y);
                ctx.lineTo(bbox.left + bbox.width, y);
                ctx.stroke();
              }
              ctx.restore();
            },
          ],
          setCursor: [
            (u) => {
              const i = u.cursor.idx;
              const at = i === null || i === undefined ? undefined : series.at[i];
              const value = i === null || i === undefined ? undefined : series.mean[i];
              setReading(at === undefined || value === undefined ? undefined : `${NUMBER.format(value)} ${series.unit ?? ""} at ${new Date(at * 1000).toLocaleString("en-GB", { dateStyle: "short", timeStyle: "medium" })}`);
            },
          ],
        },
      },
      [series.at, series.min, series.max, live, past],
      element,
    );
    return () => plot.destroy();
  }, [series, width, theme]);

  const last = series.mean.at(-1);
  const least = series.min.reduce((a, b) => Math.min(a, b), Infinity);
  const most = series.max.reduce((a, b) => Math.max(a, b), -Infinity);
  const outside = series.band && last !== undefined && (last < series.band.min || last > series.band.max);
  const unit = series.unit ?? series.band?.unit ?? "";
  return (
    <figure className="chart">
      <figcaption className="row between wrap">
        <span className="row">
          <strong>{series.metric}</strong>
          <span className="chart-now">{last === undefined ? "" : `${NUMBER.format(last)} ${unit}`}</span>
          {outside && <span className="state bad">outside its band</span>}
        </span>
        <span className="small quiet">{reading ?? (series.at.length > 0 ? `${NUMBER.format(least)} to ${NUMBER.format(most)} ${unit}${series.band ? `, band ${NUMBER.format(series.band.min)} to ${NUMBER.format(series.band.max)}` : ""}` : "")}</span>
      </figcaption>
      <div ref={box} role="img" aria-label={`${series.metric}: last ${last === undefined ? "not known" : NUMBER.format(last)} ${unit}, between ${NUMBER.format(least)} and ${NUMBER.format(most)}`} />
    </figure>
  );
}

function clock(seconds: number, increment: number, u: uPlot): string {
  const date = new Date(seconds * 1000);
  const span = (u.scales.x?.max ?? 0) - (u.scales.x?.min ?? 0);
  if (increment >= 86_400) return date.toLocaleDateString("en-GB", { day: "2-digit", month: "short" });
  const time = date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return span > 2 * 86_400 ? `${date.toLocaleDateString("en-GB", { day: "2-digit", month: "short" })} ${time}` : time;
}
