import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useId, useState } from "react";
import { api, must } from "../api/client";
import { given, releasesQuery, rolloutsQuery } from "../api/queries";
import { Act } from "../parts/Act";
import { Mark, State } from "../parts/Mark";
import { Empty, Page, Panel, Skeleton } from "../parts/Page";
import { RolloutBar } from "../parts/RolloutBar";
import { StopSwitch } from "../parts/StopSwitch";
import { Table } from "../parts/Table";
import { count, many } from "../parts/time";
import { When } from "../parts/When";
import { ROLLOUT_STATES } from "../parts/words";

/// What is being rolled out, and is it safe?
export function Rollouts() {
  const query = useInfiniteQuery(rolloutsQuery);
  const rows = query.data?.pages.flatMap((page) => page.rollouts);
  const active = rows?.filter((r) => !ROLLOUT_STATES[r.state].ended) ?? [];
  const [one] = active;
  return (
    <Page
      title="Rollouts"
      question="What is being rolled out, and is it safe?"
      tone={rows ? (active.some((r) => ROLLOUT_STATES[r.state].tone === "bad") ? "bad" : active.some((r) => r.state === "paused") ? "watch" : "good") : undefined}
      answer={!rows ? query.error ? "Not known." : <Skeleton width="20ch" height={26} /> : !one ? "Nothing is under way." : active.length === 1 ? `${one.model} ${one.version} is ${ROLLOUT_STATES[one.state].word}.` : `${many(active.length, "rollout")} are under way.`}
      more={one && active.length === 1 ? one.sentence : undefined}
      actions={<StartRollout />}
    >
      <StopSwitch />
      <Panel title={<span className="sr">All rollouts</span>} flush>
        <Table
          caption="Rollouts"
          rows={rows}
          rowKey={(r) => r.id}
          pending={query.isFetching}
          error={query.error}
          retry={() => void query.refetch()}
          empty={
            <Empty title="No rollout yet.">
              <p className="quiet">A rollout takes a signed release to devices in batches, and stops itself when too many fail. Upload and sign a release under <Link to="/firmware">Firmware</Link>, then start it here.</p>
            </Empty>
          }
          more={{ has: query.hasNextPage, busy: query.isFetchingNextPage, load: () => void query.fetchNextPage() }}
          columns={[
            { key: "what", head: "Release", phone: "title", cell: (r) => <Link className="key" to="/rollouts/$id" params={{ id: r.id }}>{r.model} {r.version}</Link> },
            { key: "state", head: "State", phone: "side", cell: (r) => <State tone={ROLLOUT_STATES[r.state].tone}>{ROLLOUT_STATES[r.state].word}</State> },
            { key: "bar", head: "Devices", phone: "full", cell: (r) => <span className="bar-cell"><RolloutBar counts={r.counts} /></span> },
            { key: "sentence", head: "Where it stands", phone: "full", cell: (r) => <span className="clip-2">{r.sentence}</span> },
            { key: "exposed", head: "Exposed", label: "exposed", numeric: true, cell: (r) => count(r.exposed) },
            { key: "began", head: "Began", label: "began", cell: (r) => <When at={r.createdAt} /> },
          ]}
        />
      </Panel>
    </Page>
  );
}

function StartRollout() {
  const releases = useQuery(releasesQuery);
  const navigate = useNavigate();
  const f = useId();
  const [release, setRelease] = useState("");
  const [selector, setSelector] = useState("");
  const [staging, setStaging] = useState("");
  const [canary, setCanary] = useState("20");
  const [shares, setShares] = useState("10, 50, 100");
  const [inFlight, setInFlight] = useState("10");
  const [threshold, setThreshold] = useState("10");
  const [soak, setSoak] = useState("10");
  const chosen = releases.data?.releases.find((r) => r.id === release) ?? releases.data?.releases[0];
  const population = useQuery({
    queryKey: ["devices", "population", chosen?.model, selector],
    queryFn: () => must(api.GET("/devices", { params: { query: { selector: [`model=${chosen?.model ?? ""}`, selector].filter(Boolean).join(", "), limit: 1 } } })),
    enabled: chosen !== undefined,
    retry: false,
  });
  const percents = shares.split(/[,\s]+/).filter(Boolean).map(Number);
  const total = population.data?.total;
  return (
    <Act
      label="Start rollout"
      primary
      wide
      title="Start a rollout"
      confirm="Start with the canary"
      preview={
        chosen ? (
          <p className="quiet">
            {total === undefined ? "How many devices: not known (does the selector parse?)" : <><strong>{many(total, "device")}</strong> of model {chosen.model} would get {chosen.version}</>}, first {canary} as canary, then up to {percents.join(" %, ")} %. It stops itself when more than {threshold} % of the decided devices fail, and takes those it updated back. To undo: abort it on its page.
          </p>
        ) : (
          <div className="notice watch"><Mark tone="watch" /><span>There is no release yet. <Link to="/firmware">Firmware</Link> says how to make one.</span></div>
        )
      }
      extra={
        <div className="form-grid">
          <label className="field" htmlFor={`${f}r`}>Release
            <select id={`${f}r`} className="input" value={chosen?.id ?? ""} onChange={(e) => setRelease(e.target.value)}>{releases.data?.releases.map((r) => <option key={r.id} value={r.id}>{r.model} {r.version}, counter {r.securityCounter}</option>)}</select>
          </label>
          <label className="field" htmlFor={`${f}s`}>Which of them (selector, empty for all)
            <input id={`${f}s`} className="input mono" placeholder="district!=Airport" value={selector} onChange={(e) => setSelector(e.target.value)} />
          </label>
          <label className="field" htmlFor={`${f}g`}>Staging group first (selector, empty for none)
            <input id={`${f}g`} className="input mono" placeholder="site=lab" value={staging} onChange={(e) => setStaging(e.target.value)} />
          </label>
          <label className="field" htmlFor={`${f}c`}>Canary, devices
            <input id={`${f}c`} className="input" type="number" min={1} required value={canary} onChange={(e) => setCanary(e.target.value)} />
          </label>
          <label className="field" htmlFor={`${f}b`}>Batches after it, percent
            <input id={`${f}b`} className="input" pattern="\s*\d{1,3}(\.\d+)?([,\s]+\d{1,3}(\.\d+)?)*\s*" required value={shares} onChange={(e) => setShares(e.target.value)} />
          </label>
          <label className="field" htmlFor={`${f}i`}>At most this many undecided at once
            <input id={`${f}i`} className="input" type="number" min={1} max={10000} required value={inFlight} onChange={(e) => setInFlight(e.target.value)} />
          </label>
          <label className="field" htmlFor={`${f}t`}>Stop when more than this percent fail
            <input id={`${f}t`} className="input" type="number" min={0} max={100} step="any" required value={threshold} onChange={(e) => setThreshold(e.target.value)} />
          </label>
          <label className="field" htmlFor={`${f}m`}>Watch each batch at least, minutes
            <input id={`${f}m`} className="input" type="number" min={0} required value={soak} onChange={(e) => setSoak(e.target.value)} />
          </label>
        </div>
      }
      disabled={releases.data?.releases.length === 0}
      act={async (reason, key) => {
        const rollout = await must(api.POST("/rollouts", {
          params: { header: { "Idempotency-Key": key } },
          body: {
            release: chosen?.id ?? "",
            reason,
            ...given({ selector }),
            plan: {
              ...given({ staging }),
              batches: [{ name: "canary", devices: Number(canary) }, ...percents.map((percent) => ({ name: `${percent} %`, percent }))],
              inFlight: Number(inFlight),
              errorThreshold: Number(threshold) / 100,
              soak: `PT${Number(soak)}M`,
              healthWindow: `PT${Number(soak)}M`,
            },
          },
        }));
        void navigate({ to: "/rollouts/$id", params: { id: rollout.id } });
        return rollout;
      }}
      done={(rollout) => `The rollout of ${rollout.version} has begun.`}
    />
  );
}
