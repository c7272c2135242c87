import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { api, must } from "../api/client";
import { makePasskey, passkeyTrouble } from "../api/passkeys";
import { meQuery, passkeysQuery } from "../api/queries";
import { Act } from "../parts/Act";
import { Empty, Page, Panel, ProblemNotice, Skeleton } from "../parts/Page";
import { Table } from "../parts/Table";
import { many } from "../parts/time";
import { Untrusted } from "../parts/Untrusted";
import { When } from "../parts/When";

/// Who am I here?
export function Myself() {
  const me = useQuery(meQuery);
  const passkeys = useQuery(passkeysQuery);
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const f = useId();
  const trouble = passkeyTrouble();
  const add = useMutation({
    mutationFn: async () => {
      const begun = await must(api.POST("/passkeys/options", { body: {} }));
      const credential = await makePasskey(begun.publicKey);
      return must(api.POST("/passkeys", { body: { ceremony: begun.ceremony, credential, name } }));
    },
    onSuccess: () => {
      setName("");
      void queries.invalidateQueries({ queryKey: ["passkeys"] });
    },
  });
  const n = passkeys.data?.passkeys.length;
  return (
    <Page
      title="Me"
      question="Who am I here?"
      answer={me.data ? `${me.data.name ?? "Nobody"}, ${me.data.role ?? "no role"}.` : <Skeleton width="16ch" height={26} />}
      more={<>{n === 1 ? "You have one passkey: add a second one, on another device, before you need it." : n !== undefined ? `You have ${many(n, "passkey")}.` : ""}{me.data?.expiresAt && <> This session ends <When at={me.data.expiresAt} />.</>}</>}
    >
      <Panel title="My passkeys" flush>
        <Table
          caption="My passkeys"
          rows={passkeys.data?.passkeys}
          rowKey={(p) => p.id}
          error={passkeys.error}
          empty={<Empty title="None."><p className="quiet">You came in with a token.</p></Empty>}
          columns={[
            { key: "name", head: "Name", phone: "title", cell: (p) => <strong><Untrusted text={p.name} /></strong> },
            { key: "made", head: "Made", label: "made", cell: (p) => <When at={p.createdAt} /> },
            { key: "used", head: "Last used", phone: "side", cell: (p) => <When at={p.lastUsedAt} /> },
            { key: "act", head: "", phone: "act", cell: (p) => <Act label="Remove" quiet danger reason="none" disabled={n === 1} title={`Remove ${p.name}`} confirm="Remove" preview={<p className="quiet">It no longer signs you in. To undo: add it again from the device that holds it.</p>} act={() => must(api.DELETE("/passkeys/{id}", { params: { path: { id: p.id } } }))} done="The passkey is removed." /> },
          ]}
        />
      </Panel>
      <Panel title="Add a passkey">
        <form
          className="toolbar"
          onSubmit={(event) => {
            event.preventDefault();
            add.mutate();
          }}
        >
          <label className="field" htmlFor={f}>What to call it
            <input id={f} className="input" required maxLength={80} placeholder="Phone" value={name} onChange={(e) => setName(e.target.value)} />
          </label>
          <button type="submit" className="btn" disabled={add.isPending || trouble !== undefined}>{add.isPending ? "Waiting for your passkey…" : "Add passkey"}</button>
        </form>
        {trouble && <p className="quiet small">{trouble}</p>}
        {add.error && <ProblemNotice error={add.error} />}
      </Panel>
    </Page>
  );
}
