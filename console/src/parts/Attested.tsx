import { useQuery } from "@tanstack/react-query";
import { attestationQuery } from "../api/queries";
import type { Schemas } from "../api/client";
import { State } from "./Mark";
import { Untrusted } from "./Untrusted";
import { When } from "./When";

/// What the device's TPM has shown last, and in what it differs from what was expected; nothing for a device that has
/// attested nothing.
export function Attested({ id }: { id: string }) {
  const attestation = useQuery(attestationQuery(id));
  const last = attestation.data?.verdicts[0];
  if (!last) return null;
  return (
    <section className="stack attested" aria-label="Attestation">
      <h3>Attestation</h3>
      <dl className="kv">
        <dt>Last</dt>
        <dd>{last.verdict === "passed" ? <State tone="good">passed</State> : <State tone="bad">failed</State>} <When at={last.at} />{last.reference && <>, as <Untrusted text={last.reference} /></>}{!last.hardware && <span className="quiet"> (nothing shows that its TPM is real)</span>}</dd>
        {last.faults.length > 0 && <><dt>Found</dt><dd>{last.faults.map((fault) => <div key={fault}><Untrusted text={fault} /></div>)}</dd></>}
        {last.eventLog && <><dt>Event log</dt><dd>{last.eventLog === "replayed" ? "leads to what was quoted" : <>is no evidence: <Untrusted text={last.eventLog} /></>}</dd></>}
        {(last.differences ?? []).map((difference) => <Difference key={difference.register} difference={difference} reference={last.expected} />)}
      </dl>
    </section>
  );
}

function Difference({ difference, reference }: { difference: Schemas["RegisterDifference"]; reference: string | undefined }) {
  return (
    <>
      <dt>PCR {difference.register}</dt>
      <dd className="stack-s">
        <span>expected <code title={difference.expected}>{difference.expected.slice(0, 16)}…</code>{reference && <> (<Untrusted text={reference} />)</>}, seen <code title={difference.seen}>{difference.seen.slice(0, 16)}…</code></span>
        {difference.events.length > 0 && (
          <ul className="small">
            {difference.events.map((event, i) => (
              <li key={i}>{event.seen ? <><Untrusted text={event.seen} />{event.expected ? <> instead of <Untrusted text={event.expected} /></> : " was not expected"}</> : <><Untrusted text={event.expected ?? ""} /> is missing</>}</li>
            ))}
          </ul>
        )}
      </dd>
    </>
  );
}
