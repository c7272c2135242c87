import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useId, useState } from "react";
import { api, must, setCsrf } from "../api/client";
import { makePasskey, passkeyTrouble } from "../api/passkeys";
import { keys } from "../api/queries";
import { Mark } from "../parts/Mark";
import { ProblemNotice, Skeleton } from "../parts/Page";
import { When } from "../parts/When";
import { Holdfast } from "../shell/icons";

const PURPOSES = {
  "first-operator": { answer: "Welcome. You are the first operator.", more: "Make a passkey: it stays on your device, and nothing that could be stolen is kept here. From then on this link is used up." },
  invitation: { answer: "Welcome. You are invited.", more: "Make a passkey: it stays on your device, and nothing that could be stolen is kept here. From then on this link is used up." },
  "new-host-name": { answer: "The host name has changed.", more: "Passkeys belong to a host name, so a new one is needed. Your account stays as it is." },
} as const;

/// The way in by a one-time link. The secret stands after the #, so it reaches no server log; it leaves the address bar at once.
export function Welcome() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [link] = useState(() => location.hash.slice(1).replace(/^token=/, ""));
  const [name, setName] = useState("");
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const field = useId();
  const trouble = passkeyTrouble();
  useEffect(() => {
    document.title = "Welcome · Holdfast";
    if (location.hash) history.replaceState(history.state, "", location.pathname);
  }, []);
  const described = useQuery({ queryKey: ["link", link], queryFn: () => must(api.POST("/session/link", { body: { link } })), enabled: link !== "", retry: false, staleTime: Infinity });
  const what = described.data;
  const shownName = name || (what?.name ?? "");

  const make = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const begun = await must(api.POST("/session/link/options", { body: { link, name: shownName } }));
      const credential = await makePasskey(begun.publicKey);
      const me = await must(api.POST("/session/link/passkey", { body: { link, name: shownName, ceremony: begun.ceremony, credential } }));
      setCsrf(me.csrf);
      queries.setQueryData(keys.me, me);
      await navigate({ to: "/" });
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };

  return (
    <main className="way-in">
      <section className="stack-l">
        <div className="brand"><Holdfast />Holdfast</div>
        <div className="page-head">
          <h1 className="question">May I come in?</h1>
          <p className="answer">{link === "" ? "This page needs a one-time link." : what ? PURPOSES[what.purpose].answer : described.error ? "Not with this link." : <Skeleton width="16ch" height={26} />}</p>
          {what && <p className="answer-more">{PURPOSES[what.purpose].more}</p>}
          {link === "" && <p className="answer-more">The first operator’s link is printed by <code>./holdfast serve</code> on the server’s terminal; later ones are made by an operator under Operators.</p>}
        </div>
        {described.error && <ProblemNotice error={described.error} />}
        {what && (
          <form
            className="stack"
            onSubmit={(event) => {
              event.preventDefault();
              void make();
            }}
          >
            <label className="field" htmlFor={field}>
              Your name, as others see it in the journal
              <input id={field} className="input" required={!what.name} maxLength={80} autoComplete="name" value={name} placeholder={what.name} onChange={(event) => setName(event.target.value)} />
            </label>
            <p className="small quiet">Role {what.role}; the link ends <When at={what.expiresAt} />.</p>
            {trouble && <div className="notice watch"><Mark tone="watch" /><span>{trouble}</span></div>}
            <div>
              <button type="submit" className="btn primary" disabled={busy || trouble !== undefined}>{busy ? "Waiting for your passkey…" : "Make my passkey"}</button>
            </div>
          </form>
        )}
        {error !== undefined && <ProblemNotice error={error} />}
      </section>
    </main>
  );
}
