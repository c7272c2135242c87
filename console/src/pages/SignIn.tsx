import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, must, setCsrf, type Schemas } from "../api/client";
import { keys } from "../api/queries";
import { getPasskey, passkeyTrouble } from "../api/passkeys";
import { ProblemNotice } from "../parts/Page";
import { Holdfast } from "../shell/icons";

/// The way in for those who have a passkey.
export function SignIn({ me }: { me: Schemas["Me"] }) {
  const queries = useQueryClient();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const trouble = passkeyTrouble();
  useEffect(() => {
    document.title = "Sign in · Holdfast";
  }, []);

  const signIn = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const begun = await must(api.POST("/session/passkey/options", { body: {} }));
      const credential = await getPasskey(begun.publicKey);
      const now = await must(api.POST("/session/passkey", { body: { ceremony: begun.ceremony, credential } }));
      setCsrf(now.csrf);
      queries.setQueryData(keys.me, now);
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
          <h1 className="question">Who is at the console?</h1>
          <p className="answer">{me.server.firstOperatorMissing ? "Nobody yet: the first operator is missing." : "Sign in with your passkey."}</p>
        </div>
        {me.server.firstOperatorMissing ? (
          <p className="quiet">
            Open the one-time link that <code>./holdfast serve</code> printed on the server’s terminal. It lets one person make the first passkey; there is no password anywhere.
          </p>
        ) : (
          <div className="stack">
            <div>
              <button type="button" className="btn primary" onClick={() => void signIn()} disabled={busy || trouble !== undefined}>
                {busy ? "Waiting for your passkey…" : "Sign in with passkey"}
              </button>
            </div>
            <p className="quiet small">No passkey yet? Ask an operator to invite you; the link they get works once.</p>
          </div>
        )}
        {trouble && <div className="notice watch">{trouble}</div>}
        {error !== undefined && <ProblemNotice error={error} />}
        <p className="quiet small">
          Holdfast {me.server.version}, environment {me.server.environment}
          {me.server.development && ", DEVELOPMENT: not for production"}
        </p>
      </section>
    </main>
  );
}
