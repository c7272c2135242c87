import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { api, must, type Schemas } from "../api/client";
import { accountsQuery, invitationsQuery, tokensQuery } from "../api/queries";
import { Act, Consequence } from "../parts/Act";
import { CodeBlock } from "../parts/Copy";
import { Mark, State } from "../parts/Mark";
import { Empty, Page, Panel, Skeleton } from "../parts/Page";
import { Table } from "../parts/Table";
import { many } from "../parts/time";
import { Untrusted } from "../parts/Untrusted";
import { When } from "../parts/When";

const ROLES: Record<Schemas["Role"], string> = { viewer: "viewer: sees everything, changes nothing", operator: "operator: acts on devices, rollouts and incidents", admin: "administrator: also keys, operators and settings" };
const SCOPES: Schemas["Scope"][] = ["read", "devices:write", "identity:write", "firmware:write", "rollouts:write", "incidents:write", "imports:write", "settings:write", "access:write"];
const DAYS = [["P1D", "1 day"], ["P30D", "30 days"], ["P90D", "90 days"], ["P366D", "a year"]] as const;

/// Who may act here?
export function Operators() {
  const accounts = useQuery(accountsQuery);
  const invitations = useQuery(invitationsQuery);
  const tokens = useQuery(tokensQuery);
  const [shown, setShown] = useState<{ label: string; text: string; note: string }>();
  const people = accounts.data?.accounts.filter((a) => !a.locked).length;
  return (
    <Page
      title="Operators"
      question="Who may act here?"
      tone={people === undefined ? undefined : people < 2 ? "watch" : "good"}
      answer={people === undefined ? accounts.error ? "Not known." : <Skeleton width="14ch" height={26} /> : people === 1 ? "One person: you." : `${many(people, "person", "people")}.`}
      more={people === 1 ? "If you lose your passkey, nobody can get in from here. Invite a second person, or give yourself a second passkey." : "Everybody signs in with a passkey; there are no passwords."}
      actions={<><CreateToken onMade={(text) => setShown({ label: "Token", text, note: "It is not shown again. Scripts send it as Authorization: Bearer …" })} /><Invite onMade={(text) => setShown({ label: "Link", text, note: "Give it to the person you invited, on a way that only they read. It works once." })} /></>}
    >
      {shown && (
        <div className="notice good">
          <Mark tone="good" />
          <div className="stack grow"><CodeBlock label={shown.label} text={shown.text} /><span className="quiet">{shown.note}</span></div>
        </div>
      )}
      <Panel title="People" flush>
        <Table
          caption="Operators"
          rows={accounts.data?.accounts}
          rowKey={(a) => a.id}
          error={accounts.error}
          retry={() => void accounts.refetch()}
          empty={<Empty title="Nobody." />}
          columns={[
            { key: "name", head: "Name", phone: "title", cell: (a) => <strong><Untrusted text={a.name} /></strong> },
            { key: "role", head: "Role", phone: "side", cell: (a) => a.role },
            { key: "state", head: "State", cell: (a) => (a.locked ? <State tone="held">locked</State> : <State tone="good">may sign in</State>) },
            { key: "keys", head: "Passkeys", label: "passkeys", numeric: true, cell: (a) => a.passkeys },
            { key: "last", head: "Last signed in", label: "signed in", cell: (a) => <When at={a.lastSignInAt} /> },
            { key: "act", head: "", phone: "act", cell: (a) => <Change account={a} /> },
          ]}
        />
      </Panel>
      <Panel title="Invitations" flush>
        <Table
          caption="Invitations"
          rows={invitations.data?.invitations}
          rowKey={(i) => i.id}
          error={invitations.error}
          empty={<div className="body quiet">None are waiting to be used.</div>}
          columns={[
            { key: "name", head: "For", phone: "title", cell: (i) => <Untrusted text={i.name} /> },
            { key: "role", head: "Role", phone: "side", cell: (i) => i.role },
            { key: "by", head: "Made by", label: "by", cell: (i) => <Untrusted text={i.createdBy} /> },
            { key: "ends", head: "Ends", label: "ends", cell: (i) => <When at={i.expiresAt} /> },
            { key: "act", head: "", phone: "act", cell: (i) => <Act label="Withdraw" quiet danger reason="none" title={`Withdraw the invitation of ${i.name}`} confirm="Withdraw" preview={<p className="quiet">The link becomes useless. To undo: invite again.</p>} act={() => must(api.DELETE("/invitations/{id}", { params: { path: { id: i.id } } }))} done="The invitation is withdrawn." /> },
          ]}
        />
      </Panel>
      <Panel title="Tokens for scripts" flush>
        <Table
          caption="API tokens"
          rows={tokens.data?.tokens}
          rowKey={(t) => t.id}
          error={tokens.error}
          empty={<Empty title="No token."><p className="quiet">A token lets a script or the <code>holdfast</code> command use the API with some of your rights, for a limited time.</p></Empty>}
          columns={[
            { key: "name", head: "Name", phone: "title", cell: (t) => <strong><Untrusted text={t.name} /></strong> },
            { key: "scopes", head: "May", phone: "full", cell: (t) => <span className="row wrap">{t.scopes.map((s) => <code key={s} className="chip">{s}</code>)}</span> },
            { key: "by", head: "Made by", label: "by", cell: (t) => <Untrusted text={t.createdBy} /> },
            { key: "used", head: "Last used", label: "used", cell: (t) => <When at={t.lastUsedAt} /> },
            { key: "ends", head: "Ends", phone: "side", cell: (t) => <When at={t.expiresAt} /> },
            { key: "act", head: "", phone: "act", cell: (t) => <Act label="Revoke" quiet danger reason="none" title={`Revoke ${t.name}`} confirm="Revoke" preview={<p className="quiet">Whatever uses it is refused at once. It cannot be undone; make a new one.</p>} act={() => must(api.DELETE("/tokens/{id}", { params: { path: { id: t.id } } }))} done="The token is revoked." /> },
          ]}
        />
      </Panel>
    </Page>
  );
}

function RoleField({ id, role, set }: { id: string; role: Schemas["Role"]; set: (role: Schemas["Role"]) => void }) {
  return (
    <label className="field" htmlFor={id}>Role
      <select id={id} className="input" value={role} onChange={(e) => set(e.target.value as Schemas["Role"])}>
        {(Object.keys(ROLES) as Schemas["Role"][]).map((r) => <option key={r} value={r}>{ROLES[r]}</option>)}
      </select>
    </label>
  );
}

function Invite({ onMade }: { onMade: (link: string) => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Schemas["Role"]>("operator");
  const f = useId();
  return (
    <Act
      label="Invite"
      primary
      title="Invite an operator"
      reason="none"
      confirm="Make the link"
      preview={<p className="quiet">Makes a link that works once. Whoever opens it makes a passkey and is in.</p>}
      extra={
        <>
          <label className="field" htmlFor={`${f}n`}>Name
            <input id={`${f}n`} className="input" required maxLength={80} value={name} onChange={(e) => setName(e.target.value)} />
          </label>
          <RoleField id={`${f}r`} role={role} set={setRole} />
        </>
      }
      act={async () => {
        const made = await must(api.POST("/invitations", { body: { name, role } }));
        onMade(made.link);
        setName("");
        return made;
      }}
      done={(i) => `The link for ${i.name} is made.`}
    />
  );
}

function CreateToken({ onMade }: { onMade: (secret: string) => void }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<Schemas["Scope"][]>(["read"]);
  const [expiresIn, setExpires] = useState<string>("P30D");
  const f = useId();
  return (
    <Act
      label="Make token"
      title="Make a token for a script"
      reason="none"
      confirm="Make it"
      preview={<p className="quiet">It gets only what you choose here, and only what you may do yourself.</p>}
      extra={
        <>
          <label className="field" htmlFor={`${f}n`}>What uses it
            <input id={`${f}n`} className="input" required maxLength={80} value={name} onChange={(e) => setName(e.target.value)} />
          </label>
          <fieldset className="stack-s">
            <legend className="small quiet">It may</legend>
            {SCOPES.map((scope) => (
              <label key={scope} className="check">
                <input type="checkbox" checked={scopes.includes(scope)} onChange={(e) => setScopes(e.target.checked ? [...scopes, scope] : scopes.filter((s) => s !== scope))} />
                <code>{scope}</code>
              </label>
            ))}
          </fieldset>
          <label className="field" htmlFor={`${f}e`}>Ends after
            <select id={`${f}e`} className="input" value={expiresIn} onChange={(e) => setExpires(e.target.value)}>{DAYS.map(([v, l]) => <option key={v} value={v}>{l}</option>)}</select>
          </label>
        </>
      }
      act={async () => {
        const made = await must(api.POST("/tokens", { body: { name, scopes, expiresIn } }));
        onMade(made.secret);
        return made;
      }}
      done="The token is made."
    />
  );
}

function Change({ account }: { account: Schemas["Account"] }) {
  const [role, setRole] = useState(account.role);
  const [locked, setLocked] = useState(account.locked);
  const f = useId();
  return (
    <Act
      label="Change"
      title={`Change ${account.name}`}
      confirm="Change"
      danger={locked && !account.locked}
      quiet
      preview={<Consequence many="1 person" which={account.name} until="somebody changes it again" undo="Change it back, here." also={locked && !account.locked && <><dt>Effect</dt><dd>Sessions and tokens of this person end at once.</dd></>} />}
      extra={
        <>
          <RoleField id={`${f}r`} role={role} set={setRole} />
          <label className="check"><input type="checkbox" checked={locked} onChange={(e) => setLocked(e.target.checked)} /><span>Locked: may not sign in</span></label>
        </>
      }
      act={(reason) => must(api.PATCH("/accounts/{id}", { params: { path: { id: account.id } }, body: { reason, role, locked } }))}
      done={`${account.name} is changed.`}
    />
  );
}
