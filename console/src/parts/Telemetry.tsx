import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { seriesQuery } from "../api/queries";
import { Chart } from "./Chart";
import { Empty, ProblemNotice, SkeletonLines } from "./Page";

const SPANS = [
  [1, "1 hour"],
  [24, "24 hours"],
  [168, "7 days"],
] as const;

/// Measurements over time.
export function Telemetry({ id }: { id: string }) {
  const [hours, setHours] = useState(24);
  const query = useQuery(seriesQuery(id, hours));
  const series = query.data?.series;
  return (
    <div className="body pad">
      <div className="seg" role="group" aria-label="Span">
        {SPANS.map(([value, label]) => <button key={value} type="button" aria-pressed={hours === value} onClick={() => setHours(value)}>{label}</button>)}
      </div>
      {query.error && !series ? (
        <ProblemNotice error={query.error} retry={() => void query.refetch()} />
      ) : !series ? (
        <SkeletonLines />
      ) : series.every((s) => s.at.length === 0) ? (
        <Empty title="No measurements in this time.">
          <p className="quiet">A device measures by publishing a flat JSON object of numbers to <code>d/{id}/telemetry</code>, such as <code>{'{"kwh":1.2}'}</code>.</p>
        </Empty>
      ) : (
        series.filter((s) => s.at.length > 0).map((s) => <Chart key={s.metric} series={s} />)
      )}
    </div>
  );
}
