import { useQuery } from "@tanstack/react-query";
import type { Schemas } from "../api/client";
import { diagnosisQuery } from "../api/queries";
import { Mark, type Tone } from "./Mark";
import { ProblemNotice, SkeletonLines } from "./Page";
import { many } from "./time";
import { Untrusted } from "./Untrusted";
import { When } from "./When";
import { fact } from "./words";

const VERDICTS: Record<Schemas["ConnectionDiagnosis"]["verdict"], Tone> = { connected: "good", "not-tried": "unknown", refused: "watch", barred: "bad" };

/// Why a device does not come in: the sentence, then each reason with what mends it.
export function Why({ id }: { id: string }) {
  const query = useQuery(diagnosisQuery(id));
  const diagnosis = query.data;
  if (query.error && !diagnosis) return <div className="empty"><ProblemNotice error={query.error} retry={() => void query.refetch()} /></div>;
  if (!diagnosis) return <SkeletonLines lines={3} />;
  return (
    <section aria-label="Why it does not come in">
      <p className="why"><span className="why-head"><Mark tone={VERDICTS[diagnosis.verdict]} /><strong><Untrusted text={diagnosis.sentence} /></strong></span></p>
      {diagnosis.reasons.map((reason) => (
        <article className="why" key={reason.kind + reason.cause + String(reason.sure)}>
          <p className="why-head"><Mark tone={reason.kind === "bars" ? "bad" : reason.kind === "note" ? "calm" : "watch"} /><Untrusted text={reason.sentence} /></p>
          <dl className="small">
            <dt>Do</dt>
            <dd><Untrusted text={reason.fix} /></dd>
            {reason.times > 0 && (
              <>
                <dt>Seen</dt>
                <dd>
                  {many(reason.times, "time")}, last <When at={reason.lastAt} />
                  {reason.remoteAddress && <> from <code>{reason.remoteAddress}</code></>}
                  {!reason.sure && "; only the address is this device’s, it may have been another one"}
                </dd>
              </>
            )}
            <dt>Cause</dt>
            <dd>{fact(reason.cause)} <span className="quiet">({reason.readOn})</span></dd>
          </dl>
        </article>
      ))}
    </section>
  );
}
