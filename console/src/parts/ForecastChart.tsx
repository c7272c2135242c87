import { useState } from "react";
import { capacityWords, draw, type Forecast } from "./forecast";
import { Skeleton } from "./Page";
import { count } from "./time";

const WIDTH = 1000;
const HEIGHT = 180;

/// When certificates end, day by day or week by week, against what can be renewed. What can't be renewed in time is
/// hatched, so that it is seen without its colour.
export function ForecastChart({ forecast }: { forecast: Forecast | undefined }) {
  const [reading, setReading] = useState<string>();
  if (!forecast) return <Skeleton height={HEIGHT} />;
  const d = draw(forecast);
  const cliff = forecast.cliff;
  const cliffAt = cliff ? forecast.buckets.findIndex((b) => b.late > 0) : -1;
  const total = forecast.buckets.reduce((sum, b) => sum + b.ending, 0);
  return (
    <figure className="forecast">
      <figcaption className="row between wrap">
        <span className="legend">
          <span><svg className="legend-cell" viewBox="0 0 18 18" aria-hidden><rect x="4" y="3" width="10" height="14" className="fc-bar" /></svg>certificates that end</span>
          <span><svg className="legend-cell" viewBox="0 0 18 18" aria-hidden><path d="M0 9h18" className="fc-rule" /></svg>renewals that can be served: {capacityWords(forecast)}</span>
          {cliff && <span><svg className="legend-cell" viewBox="0 0 18 18" aria-hidden><Hatch id="fc-hatch-legend" /><rect x="2" y="2" width="14" height="14" fill="url(#fc-hatch-legend)" className="fc-late" /></svg>can’t be renewed in time, from the line on</span>}
        </span>
        <span className="small quiet" aria-live="polite">{reading ?? `${count(total)} end within this picture`}</span>
      </figcaption>
      <div className="fc-frame">
        <span className="fc-scale small quiet" aria-hidden>{count(Math.round(d.most))}</span>
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${count(total)} certificates end within ${forecast.buckets.length} ${forecast.stepSeconds >= 604_800 ? "weeks" : "days"}; ${forecast.answer.sentence}`}
          onPointerLeave={() => setReading(undefined)}
        >
          <Hatch id="fc-hatch" />
          {d.bars.map((bar) => (
            <g key={bar.key} onPointerEnter={() => setReading(bar.words)}>
              <rect x={bar.x * WIDTH} y={0} width={bar.width * WIDTH} height={HEIGHT} fill="transparent" />
              <rect className="fc-bar" x={bar.x * WIDTH + 0.5} width={Math.max(0.5, bar.width * WIDTH - 1)} y={HEIGHT * (1 - bar.height)} height={HEIGHT * bar.height} />
              {bar.late > 0 && <rect className="fc-late" fill="url(#fc-hatch)" x={bar.x * WIDTH + 0.5} width={Math.max(0.5, bar.width * WIDTH - 1)} y={HEIGHT * (1 - bar.height)} height={HEIGHT * bar.late} />}
            </g>
          ))}
          {d.capacity !== undefined && <path className="fc-rule" d={`M0 ${HEIGHT * (1 - d.capacity)}H${WIDTH}`} vectorEffect="non-scaling-stroke" />}
          {cliffAt >= 0 && <path className="fc-cliff" d={`M${((d.bars[cliffAt]?.x ?? 0) * WIDTH).toFixed(1)} 0V${HEIGHT}`} vectorEffect="non-scaling-stroke" />}
        </svg>
        <div className="fc-days small quiet" aria-hidden>
          {d.months.map((m) => <span key={m.word + m.x} style={{ left: `${m.x * 100}%` }}>{m.word}</span>)}
        </div>
      </div>
      <details className="small">
        <summary>As a table</summary>
        <div className="fc-table" tabIndex={0} role="region" aria-label="When certificates end">
          <table className="grid">
            <thead><tr><th scope="col">From</th><th scope="col" className="num">End</th><th scope="col" className="num">Can be renewed</th><th scope="col" className="num">Late up to here</th></tr></thead>
            <tbody>
              {forecast.buckets.filter((b) => b.ending > 0 || b.late > 0).map((b) => (
                <tr key={b.from}><td>{b.from.slice(0, 10)}</td><td className="num">{count(b.ending)}</td><td className="num">{count(b.servable)}</td><td className="num">{count(b.late)}</td></tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

function Hatch({ id }: { id: string }) {
  return (
    <defs>
      <pattern id={id} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="6" height="6" className="fc-hatch-ground" />
        <rect width="3" height="6" className="fc-hatch-line" />
      </pattern>
    </defs>
  );
}
